// An Accelerate YAML: AccelerateKeys.inc, below deepspeed_config DeepspeedKeys.inc, and the ds_config JSON it may name.
#ifndef ZP_FRONTENDS_ACCELERATE_ACCELERATECONFIG_H
#define ZP_FRONTENDS_ACCELERATE_ACCELERATECONFIG_H

#include "frontends/accelerate/JobConfig.h"

namespace zp::fe {

const KeyTable &accelerateKeys();
const KeyTable &deepspeedKeys();

/// FileMissing, UnknownKey with the nearest key, or Config for what can't be or isn't built.
StatusOr<JobConfig> readAccelerateConfig(const std::string &path);

} // namespace zp::fe

#endif // ZP_FRONTENDS_ACCELERATE_ACCELERATECONFIG_H
