#include "runtime/trainer/step_policy.h"

#include <algorithm>
#include <cmath>

#include "runtime/schema/run_rules.h"

namespace zp::rt {

StepPolicy::StepPolicy(const std::string &strategy, double steps, uint64_t updates, uint64_t updatesPerEpoch)
    : active(strategy != "no" && strategy != "best"), best(strategy == "best"), updates(updates) {
  if (strategy == "epoch")
    every = std::max<uint64_t>(1, updatesPerEpoch);
  else
    every = stepsOf(steps, updates);
}

StatusOr<StepPolicy> StepPolicy::ofSaving(const JobSettings &settings, uint64_t updates, uint64_t updatesPerEpoch) {
  ZP_RETURN_IF_ERROR(verifyRunSettings(settings));
  return StepPolicy(settings.save_strategy, settings.save_steps, updates, updatesPerEpoch);
}

StatusOr<StepPolicy> StepPolicy::ofEvaluation(const JobSettings &settings, uint64_t updates, uint64_t updatesPerEpoch, double epochs) {
  ZP_RETURN_IF_ERROR(verifyRunSettings(settings));
  StepPolicy policy(settings.eval_strategy, evalStepsOf(settings), updates, updatesPerEpoch);
  policy.first = settings.eval_delay;
  if (settings.eval_strategy == "epoch") {
    policy.first *= static_cast<double>(updatesPerEpoch);
    if (settings.eval_delay <= epochs) // which go by rounds: an epoch's last update may have fewer of them
      policy.first = std::min(policy.first, static_cast<double>(updates));
  }
  return policy;
}

bool StepPolicy::after(uint64_t step) const {
  return active && step > 0 && static_cast<double>(step) >= first && ((every > 0 && step % every == 0) || step == updates);
}

bool StepPolicy::beforeTheEnd(uint64_t done) const {
  if (best)
    return done + 1 < updates;
  if (!active || every == 0 || first >= static_cast<double>(updates))
    return false;
  const uint64_t earliest = std::max(done + 1, static_cast<uint64_t>(std::ceil(first)));
  return (earliest + every - 1) / every * every < updates;
}

} // namespace zp::rt
