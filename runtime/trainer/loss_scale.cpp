#include "runtime/trainer/loss_scale.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace zp::rt {

LossScaler::LossScaler(const JobSettings &settings, const std::optional<LossScaleState> &from) : settings(settings) {
  if (from)
    now = *from;
  else if (settings.fp16) {
    now.scale = settings.loss_scale > 0 ? settings.loss_scale : std::ldexp(1.0, static_cast<int>(settings.initial_scale_power));
    now.hysteresis = settings.hysteresis;
  }
}

Status LossScaler::take(uint64_t update, bool overflow) {
  constexpr double kFactor = 2;
  now.skipped += overflow;
  if (!settings.fp16 || settings.loss_scale > 0)
    return {};
  const auto at = static_cast<int64_t>(update);
  if (overflow) {
    if (now.hysteresis > 1) {
      --now.hysteresis;
    } else {
      if (now.scale == settings.min_loss_scale)
        return Status(ErrorCode::NonFinite, "step " + std::to_string(update + 1) + ": gradients overflow at the loss scale " +
                                                std::to_string(now.scale) + ", expected them to be finite at --min_loss_scale; lower " +
                                                "--learning_rate, look at the rows of this step, or use --bf16");
      now.scale = std::max(now.scale / kFactor, settings.min_loss_scale);
    }
    now.lastOverflow = at;
    return {};
  }
  if (settings.consecutive_hysteresis)
    now.hysteresis = settings.hysteresis;
  const int64_t stable = at - now.lastOverflow - 1;
  if (stable > 0 && stable % settings.loss_scale_window == 0) {
    now.hysteresis = settings.hysteresis;
    now.scale *= kFactor;
  }
  return {};
}

} // namespace zp::rt
