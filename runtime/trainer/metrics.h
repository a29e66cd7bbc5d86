// metrics.jsonl: one object an update and one an evaluation, full precision, on disk as soon as it is known.
#ifndef ZP_RUNTIME_TRAINER_METRICS_H
#define ZP_RUNTIME_TRAINER_METRICS_H

#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include "runtime/base/status.h"
#include "runtime/trainer/evaluation_means.h"

namespace zp::rt {

struct StepMetrics {
  uint64_t step = 0; ///< from 1
  double loss = 0;   ///< mean over the update's counted labels
  double gradNorm = 0;
  double learningRate = 0;
  uint64_t numTokens = 0; ///< fed so far, padding left out
  double epoch = 0;
  double stepSeconds = 0;
  double tokensPerSecond = 0;
  double accuracy = std::numeric_limits<double>::quiet_NaN();  ///< share of the counted labels that were predicted, when known
  double lossScale = std::numeric_limits<double>::quiet_NaN(); ///< of this update, in fp16
  uint64_t skippedSteps = 0;                                   ///< updates so far whose gradients overflowed
};

/// What an update adds to the sum of the losses since the last log: one that is no number, the mean so far (the reference's
/// logging_nan_inf_filter).
double lossToLog(double loss, double sumSoFar, uint64_t updatesSoFar);

/// An evaluation between two updates.
struct EvaluationMetrics {
  uint64_t step = 0; ///< updates done
  double epoch = 0;
  double loss = 0, accuracy = 0; ///< means over the counted labels
  EvaluationMeans ofBatches;     ///< the reference's
  double seconds = 0, rowsPerSecond = 0, roundsPerSecond = 0;
  uint64_t numTokens = 0; ///< that training has been fed so far
};

/// One line of JSON, without the newline.
std::string metricsLine(const StepMetrics &metrics);
std::string evaluationLine(const EvaluationMetrics &metrics);

class MetricsFile {
public:
  static StatusOr<MetricsFile> create(const std::string &path);
  /// The lines of `earlier` up to `step` (none when there is no such file), to which more are appended.
  static StatusOr<MetricsFile> resume(const std::string &path, const std::string &earlier, uint64_t step);
  Status append(const StepMetrics &metrics) { return appendLine(metricsLine(metrics)); }
  Status appendEvaluation(const EvaluationMetrics &metrics) { return appendLine(evaluationLine(metrics)); }

private:
  Status appendLine(std::string line);
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  std::string path;
  std::unique_ptr<std::FILE, Close> file;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_METRICS_H
