// PEFT's adapter_config.json to LoraSettings. Every key that PEFT writes is honoured, recorded or
// refused by the table AdapterConfigKeys.inc; a key that isn't in it is dropped with a warning, as
// PEFT does.
#ifndef ZP_FRONTENDS_HUGGINGFACE_PEFTIMPORTER_H
#define ZP_FRONTENDS_HUGGINGFACE_PEFTIMPORTER_H

#include "frontends/common/JsonDocument.h"
#include "frontends/huggingface/LoraSettings.h"

namespace zp::fe {

/// `defaultTargets` are adapted when the file has none (ModelSpec::defaultTargets). Warnings are whole lines.
StatusOr<LoraSettings> importAdapterConfig(const JsonDocument &config, const std::vector<std::string> &defaultTargets,
                                           std::vector<std::string> &warnings);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_PEFTIMPORTER_H
