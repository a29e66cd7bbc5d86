// After which updates a checkpoint is saved: the reference's --save_strategy and --save_steps.
#ifndef ZP_RUNTIME_TRAINER_SAVE_POLICY_H
#define ZP_RUNTIME_TRAINER_SAVE_POLICY_H

#include <cstdint>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::rt {

class SavePolicy {
public:
  /// Config when a setting has no meaning. `updates` are those of the whole run.
  static StatusOr<SavePolicy> create(const JobSettings &settings, uint64_t updates,
                                     uint64_t updatesPerEpoch);
  /// `step` updates are done. steps: at the multiples of save_steps and at the end; epoch: at the
  /// end of each epoch and of the run; no: never.
  bool after(uint64_t step) const;

private:
  bool saves = false;
  uint64_t every = 0, updates = 0; ///< every 0: at the end only
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_SAVE_POLICY_H
