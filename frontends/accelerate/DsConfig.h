// A ds_config.json as DeepSpeed takes it through Accelerate and the Trainer: DsConfigKeys.inc.
#ifndef ZP_FRONTENDS_ACCELERATE_DSCONFIG_H
#define ZP_FRONTENDS_ACCELERATE_DSCONFIG_H

#include "frontends/accelerate/JobConfig.h"

namespace zp::fe {

const KeyTable &dsConfigKeys();

/// Adds what the file asks for. FileMissing, UnknownKey with the nearest key, or Config.
Status readDsConfig(const std::string &path, JobConfig &into);

} // namespace zp::fe

#endif // ZP_FRONTENDS_ACCELERATE_DSCONFIG_H
