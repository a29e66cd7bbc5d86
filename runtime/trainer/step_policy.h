// After which updates something happens: the reference's strategies and steps of saving and of evaluation.
#ifndef ZP_RUNTIME_TRAINER_STEP_POLICY_H
#define ZP_RUNTIME_TRAINER_STEP_POLICY_H

#include <cstdint>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::rt {

class StepPolicy {
public:
  /// Config when a setting has no meaning. `updates` are those of the whole run.
  static StatusOr<StepPolicy> ofSaving(const JobSettings &settings, uint64_t updates, uint64_t updatesPerEpoch);
  /// `epochs`: where the run ends.
  static StatusOr<StepPolicy> ofEvaluation(const JobSettings &settings, uint64_t updates, uint64_t updatesPerEpoch, double epochs);

  /// `step` updates are done. steps: at their multiples and at the end; epoch: at the end of each epoch and of the run; no,
  /// and best, which evaluations decide: never. Not before the delay.
  bool after(uint64_t step) const;
  /// Whether it may happen after an update between `done`, which are done, and the run's last.
  bool beforeTheEnd(uint64_t done) const;
  /// Evaluations decide: it happens where one is better than all before it.
  bool ofTheBest() const { return best; }

private:
  StepPolicy(const std::string &strategy, double steps, uint64_t updates, uint64_t updatesPerEpoch);

  bool active = false, best = false;
  uint64_t every = 0, updates = 0; ///< every 0: at the end only
  double first = 0;                ///< updates of the delay
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_STEP_POLICY_H
