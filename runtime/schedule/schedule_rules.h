// What a job's learning rate, warm-up and schedule must obey together: said once, for whoever makes a plan and for whoever
// carries one out.
#ifndef ZP_RUNTIME_SCHEDULE_SCHEDULE_RULES_H
#define ZP_RUNTIME_SCHEDULE_SCHEDULE_RULES_H

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/status.h"
#include "runtime/schedule/schedule_arguments.h"
#include "runtime/schema/settings.h"

namespace zp::rt {

/// Config or UnknownKey, where the setting stands: `prefix` is `--` for flags. `updates`: of the whole run, where they are known;
/// what a schedule says of them is then compared. A learning rate or warm-up that the schedule was given twice must be the same.
StatusOr<ScheduleArguments> verifySchedule(const JobSettings &settings, const std::string &prefix, std::optional<uint64_t> updates);

/// warmup_steps, or where that is 0 warmup_ratio; below 1 it is a share of `updates`, rounded up.
uint64_t warmupUpdatesOf(const JobSettings &settings, uint64_t updates);

} // namespace zp::rt

#endif // ZP_RUNTIME_SCHEDULE_SCHEDULE_RULES_H
