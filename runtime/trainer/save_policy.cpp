#include "runtime/trainer/save_policy.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace zp::rt {

StatusOr<SavePolicy> SavePolicy::create(const JobSettings &settings, uint64_t updates,
                                        uint64_t updatesPerEpoch) {
  const std::string &strategy = settings.save_strategy;
  const double steps = settings.save_steps;
  if (strategy != "steps" && strategy != "epoch" && strategy != "no")
    return Status(ErrorCode::Config,
                  "save_strategy: is " + strategy +
                      ", expected steps, epoch or no; give --save_strategy one of these");
  if (!(steps >= 0) || !std::isfinite(steps) || (steps > 1 && steps != std::floor(steps)))
    return Status(ErrorCode::Config, "save_steps: is " + std::to_string(steps) +
                                         ", expected a whole number of updates, or a share of the "
                                         "run below 1; give --save_steps one of these");
  SavePolicy policy;
  policy.saves = strategy != "no";
  policy.updates = updates;
  if (strategy == "epoch")
    policy.every = std::max<uint64_t>(1, updatesPerEpoch);
  else if (steps >= 1)
    policy.every = static_cast<uint64_t>(std::min(steps, 1e18));
  else
    policy.every = static_cast<uint64_t>(std::ceil(static_cast<double>(updates) * steps));
  return policy;
}

bool SavePolicy::after(uint64_t step) const {
  return saves && step > 0 && ((every > 0 && step % every == 0) || step == updates);
}

} // namespace zp::rt
