// Which checkpoint's model is the best so far, by a metric of the evaluations.
#ifndef ZP_RUNTIME_TRAINER_BEST_MODEL_H
#define ZP_RUNTIME_TRAINER_BEST_MODEL_H

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/schema/settings.h"
#include "runtime/trainer/evaluate.h"

namespace zp::rt {

struct BestModel {
  uint64_t step = 0;
  double metric = 0;
};

class BestModelTracker {
public:
  /// `from`: what an earlier part of the run had found.
  BestModelTracker(const JobSettings &settings, std::optional<BestModel> from);

  /// An evaluation after `step` updates: it is the best, and the answer true, when it is strictly better than what was before.
  bool offer(uint64_t step, const EvaluateReport &report);
  /// Nothing when no metric was asked for, or none was offered.
  const std::optional<BestModel> &best() const { return found; }

private:
  std::string metric;
  bool greater;
  std::optional<BestModel> found;
};

/// What a trainer_state.json says.
std::optional<BestModel> bestModelIn(const std::string &trainerState);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_BEST_MODEL_H
