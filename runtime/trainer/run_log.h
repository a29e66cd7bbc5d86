// What a run says while it goes on, on rank 0: the reference's log lines on standard output and, when asked for, TensorBoard's
// scalars. A line whenever the logging policy says so with the means of the updates since the one before, one an evaluation, one at the end.
#ifndef ZP_RUNTIME_TRAINER_RUN_LOG_H
#define ZP_RUNTIME_TRAINER_RUN_LOG_H

#include <optional>
#include <string>

#include "runtime/io/event_file.h"
#include "runtime/trainer/logging_policy.h"
#include "runtime/trainer/metrics.h"

namespace zp::rt {

/// The end of a run, or of the part of it that this process did.
struct RunSummary {
  double seconds = 0, rowsPerSecond = 0, updatesPerSecond = 0;
  double loss = 0; ///< mean over the updates
  double epoch = 0;
  uint64_t step = 0;
};

/// Python's print of a dict with every number as a '%.4g' string: {'loss': '2.5', 'epoch': '1'}.
std::string pythonDict(std::span<const Scalar> values);

struct RunLogOptions {
  LoggingPolicy policy;       ///< of the updates' lines
  bool lines = true;          ///< print them
  std::string eventDirectory; ///< empty: no TensorBoard
};

class RunLog {
public:
  static StatusOr<RunLog> create(const RunLogOptions &options);
  Status update(const StepMetrics &metrics);
  Status evaluation(const EvaluationMetrics &metrics);
  Status summary(const RunSummary &summary);

private:
  Status say(uint64_t step, std::span<const Scalar> values);

  RunLogOptions options;
  std::optional<EventFile> events;
  double lossSum = 0, accuracySum = 0; // since the last line
  uint64_t updates = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_RUN_LOG_H
