// After which updates a run logs: the reference's logging strategies. Unlike saving and evaluation, the end of a run by itself
// is no such time.
#ifndef ZP_RUNTIME_TRAINER_LOGGING_POLICY_H
#define ZP_RUNTIME_TRAINER_LOGGING_POLICY_H

#include <cstdint>

#include "runtime/schema/settings.h"

namespace zp::rt {

class LoggingPolicy {
public:
  /// After every update.
  LoggingPolicy() = default;
  /// As the settings say, which verifyRunSettings has passed. `updates` are those of the whole run.
  LoggingPolicy(const JobSettings &settings, uint64_t updates, uint64_t updatesPerEpoch);

  /// `step` updates are done.
  bool after(uint64_t step) const { return (every > 0 && step % every == 0) || step == first || step == last; }

private:
  uint64_t every = 1;
  uint64_t first = 0, last = 0; ///< 0: not one of its own
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_LOGGING_POLICY_H
