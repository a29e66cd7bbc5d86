#include "runtime/trainer/logging_policy.h"

#include <algorithm>

#include "runtime/schema/run_rules.h"

namespace zp::rt {

LoggingPolicy::LoggingPolicy(const JobSettings &settings, uint64_t updates, uint64_t updatesPerEpoch) {
  const bool epochs = settings.logging_strategy == "epoch";
  if (epochs)
    every = std::max<uint64_t>(1, updatesPerEpoch);
  else
    every = settings.logging_strategy == "no" ? 0 : stepsOf(settings.logging_steps, updates);
  first = settings.logging_first_step ? 1 : 0;
  last = epochs ? updates : 0; // which ends its epoch, wherever it stands in it
}

} // namespace zp::rt
