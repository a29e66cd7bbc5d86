#include "runtime/trainer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/schema/run_rules.h"

namespace zp::rt {

constexpr double kTimescale = 10000; // of inverse_sqrt without warm-up

StatusOr<Schedule> Schedule::create(const std::string &type, double peak, double warmupSteps, double warmupRatio, uint64_t updates) {
  Schedule schedule;
  if (type == "linear")
    schedule.kind = Kind::Linear;
  else if (type == "cosine" || type == "cosine_with_restarts") // the reference's default is one cycle: no restart
    schedule.kind = Kind::Cosine;
  else if (type == "constant")
    schedule.kind = Kind::Constant;
  else if (type == "constant_with_warmup")
    schedule.kind = Kind::ConstantWithWarmup;
  else if (type == "polynomial")
    schedule.kind = Kind::Polynomial;
  else if (type == "inverse_sqrt")
    schedule.kind = Kind::InverseSqrt;
  else
    return Status(ErrorCode::Config, "plan: lr_scheduler_type: is " + type +
                                         ", expected linear, cosine, cosine_with_restarts, constant, constant_with_warmup, polynomial or inverse_sqrt; import again with one of these");
  if (schedule.kind == Kind::Polynomial && !(peak > kPolynomialEnd))
    return Status(ErrorCode::Config, "plan: learning_rate: is " + std::to_string(peak) + ", expected more than the 1e-7 that polynomial ends at; import again");
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
  if (kind == Kind::Polynomial) {
    const double share = std::max(0.0, 1 - (now - warm) / left); // of the power 1
    return peak * (((peak - kPolynomialEnd) * share + kPolynomialEnd) / peak);
  }
  if (kind == Kind::InverseSqrt) {
    const double timescale = warmupUpdates ? warm : kTimescale;
    return peak * (1.0 / std::sqrt((now + timescale - warm) / timescale));
  }
  return peak * std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * ((now - warm) / left))));
}

} // namespace zp::rt
