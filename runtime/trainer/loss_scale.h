// The scale of fp16's loss, as DeepSpeed's DynamicLossScaler moves it: an update whose gradients overflow is skipped; after
// `hysteresis` of those the scale halves, after `loss_scale_window` updates without any it doubles.
#ifndef ZP_RUNTIME_TRAINER_LOSS_SCALE_H
#define ZP_RUNTIME_TRAINER_LOSS_SCALE_H

#include <cstdint>
#include <optional>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::rt {

/// What a checkpoint keeps of it.
struct LossScaleState {
  double scale = 1;
  int64_t hysteresis = 1;    ///< overflows left until the scale halves, that one counted
  int64_t lastOverflow = -1; ///< the update, from 0; -1: none so far
  uint64_t skipped = 0;      ///< updates so far
};

class LossScaler {
public:
  /// `from`: of the checkpoint that the run goes on from, if any.
  LossScaler(const JobSettings &settings, const std::optional<LossScaleState> &from);

  /// Without fp16 the scale is one, and an overflow is an error.
  bool active() const { return settings.fp16; }
  const LossScaleState &state() const { return now; }

  /// After update `update`, from 0. NonFinite when it overflowed at the least scale; a scale that was given never moves.
  Status take(uint64_t update, bool overflow);

private:
  const JobSettings &settings;
  LossScaleState now;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_LOSS_SCALE_H
