// Ranges of the job's settings and their combinations.
#ifndef ZP_FRONTENDS_COMMON_SETTINGSVERIFIER_H
#define ZP_FRONTENDS_COMMON_SETTINGSVERIFIER_H

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

/// Config, naming the flag. LoRA's settings are verifyLora's.
Status verifySettings(const JobSettings &settings);

} // namespace zp::fe

#endif // ZP_FRONTENDS_COMMON_SETTINGSVERIFIER_H
