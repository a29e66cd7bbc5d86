#include "runtime/trainer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zp::rt {

StatusOr<Schedule> Schedule::create(const std::string &type, double peak, double warmupSteps, double warmupRatio, uint64_t updates) {
  Schedule schedule;
  if (type == "linear")
    schedule.kind = Kind::Linear;
  else if (type == "cosine")
    schedule.kind = Kind::Cosine;
  else if (type == "constant")
    schedule.kind = Kind::Constant;
  else if (type == "constant_with_warmup")
    schedule.kind = Kind::ConstantWithWarmup;
  else
    return Status(ErrorCode::Config, "plan: lr_scheduler_type: is " + type +
                                         ", expected linear, cosine, constant or constant_with_warmup; import again with one of these");
  if (!(warmupSteps >= 0) || !(warmupRatio >= 0) || warmupRatio > 1)
    return Status(ErrorCode::Config, "plan: warmup_steps: is " + std::to_string(warmupSteps) + " and warmup_ratio " +
                                         std::to_string(warmupRatio) + ", expected 0 or more, and a share of at most 1; import again");
  auto share = [&](double x) { return static_cast<uint64_t>(std::ceil(static_cast<double>(updates) * x)); };
  schedule.warmupUpdates = warmupSteps >= 1 ? static_cast<uint64_t>(warmupSteps) : share(warmupSteps > 0 ? warmupSteps : warmupRatio);
  schedule.peak = peak;
  schedule.updates = updates;
  return schedule;
}

double Schedule::at(uint64_t t) const {
  const auto now = static_cast<double>(t), warm = static_cast<double>(warmupUpdates), all = static_cast<double>(updates);
  const double left = std::max(1.0, all - warm);
  if (kind == Kind::Constant)
    return peak;
  if (t < warmupUpdates)
    return peak * (now / std::max(1.0, warm));
  if (kind == Kind::ConstantWithWarmup)
    return peak;
  if (kind == Kind::Linear)
    return peak * std::max(0.0, (all - now) / left);
  return peak * std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * ((now - warm) / left))));
}

} // namespace zp::rt
