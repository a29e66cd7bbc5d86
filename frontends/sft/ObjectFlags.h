// The trainer's flags whose value is an object that isn't a setting: --accelerator_config, --dataset_kwargs.
#ifndef ZP_FRONTENDS_SFT_OBJECTFLAGS_H
#define ZP_FRONTENDS_SFT_OBJECTFLAGS_H

#include "frontends/sft/SftFlags.h"

namespace zp::fe {

const KeyTable &acceleratorConfigKeys();
const KeyTable &datasetKwargsKeys();

/// Config, naming flag and key, for what asks for something that isn't built; UnknownKey with the nearest key. Into `notes` goes a line for
/// each key that has no effect.
Status checkObjectFlags(const SftArguments &arguments, std::vector<std::string> &notes);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_OBJECTFLAGS_H
