// The job's settings as a plan carries them.
#ifndef ZP_RUNTIME_TRAINER_PLAN_SETTINGS_H
#define ZP_RUNTIME_TRAINER_PLAN_SETTINGS_H

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

/// Settings that the plan leaves out keep their defaults; a name or value that this build doesn't know is an error.
StatusOr<JobSettings> settingsOf(const fbs::Plan &plan);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_PLAN_SETTINGS_H
