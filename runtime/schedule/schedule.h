// Learning rates: the references' formulas, update by update.
#ifndef ZP_RUNTIME_SCHEDULE_SCHEDULE_H
#define ZP_RUNTIME_SCHEDULE_SCHEDULE_H

#include <cstdint>
#include <functional>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::rt {

class Schedule {
public:
  /// Of a plan's settings, in a run of so many updates. What schedule_rules.h refuses is refused, as the plan's.
  static StatusOr<Schedule> create(const JobSettings &settings, uint64_t updates);
  /// For update `t`, from 0. It depends on nothing but `t`: a run that is resumed has the rates of one that wasn't.
  double at(uint64_t t) const { return rate(static_cast<double>(t)); }

private:
  std::function<double(double)> rate;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_SCHEDULE_SCHEDULE_H
