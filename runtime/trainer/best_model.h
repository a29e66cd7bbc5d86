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
  /// Directory of the last checkpoint that was of the best model when it was saved; empty: none. A better one since need not have been saved.
  std::string checkpoint = {};
};

class BestModelTracker {
public:
  /// `from`: what an earlier part of the run had found.
  BestModelTracker(const JobSettings &settings, std::optional<BestModel> from);

  /// An evaluation after `step` updates: it is the best, and the answer true, when it is strictly better than what was before.
  bool offer(uint64_t step, const EvaluateReport &report);
  /// A checkpoint after `step` updates goes there.
  void saved(uint64_t step, const std::string &directory);
  /// Nothing when no metric was asked for, or none was offered.
  const std::optional<BestModel> &best() const { return found; }

private:
  std::string metric;
  bool greater;
  std::optional<BestModel> found;
};

/// What a trainer_state.json says. Its best checkpoint is looked for in the directory `checkpoints` first, which may have got another name
/// since, then where it says.
std::optional<BestModel> bestModelIn(const std::string &trainerState, const std::string &checkpoints);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_BEST_MODEL_H
