// What a person sees while rank 0 trains: a bar on a terminal, a line whenever the run logs elsewhere, nothing when quiet.
#ifndef ZP_RUNTIME_TRAINER_PROGRESS_H
#define ZP_RUNTIME_TRAINER_PROGRESS_H

#include "runtime/trainer/logging_policy.h"
#include "runtime/trainer/metrics.h"

namespace zp::rt {

class Progress {
public:
  /// `done` of the updates were done before this process began.
  Progress(uint64_t done, uint64_t updates, const LoggingPolicy &logging, bool quiet);
  ~Progress();
  void show(const StepMetrics &metrics, uint64_t residentBytes);

private:
  uint64_t done, updates;
  LoggingPolicy logging;
  bool quiet, terminal, open = false;
  double secondsSoFar = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_PROGRESS_H
