// Learning rates: the reference's formulas, update by update.
#ifndef ZP_RUNTIME_TRAINER_SCHEDULE_H
#define ZP_RUNTIME_TRAINER_SCHEDULE_H

#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

class Schedule {
public:
  /// Config for a type that isn't known, numbers out of range, or a polynomial that would rise.
  /// `warmupSteps` below 1 is a share of all updates, as is `warmupRatio`, which counts when warmupSteps is 0.
  static StatusOr<Schedule> create(const std::string &type, double peak, double warmupSteps, double warmupRatio, uint64_t updates);
  /// For update `t`, from 0.
  double at(uint64_t t) const;
  uint64_t warmup() const { return warmupUpdates; }

private:
  enum class Kind { Linear, Cosine, Constant, ConstantWithWarmup, Polynomial, InverseSqrt };
  Kind kind = Kind::Linear;
  double peak = 0;
  uint64_t warmupUpdates = 0, updates = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_SCHEDULE_H
