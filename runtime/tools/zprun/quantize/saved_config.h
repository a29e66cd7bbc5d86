// config.json and generation_config.json as transformers 5.23 saves them after it has read older or other ones.
//
// The reference reads a file into an object whose class declares fields and defaults, moves what older versions spelled
// otherwise, and writes all fields, what else the file had, and its own version. This is that, for the known families.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_SAVED_CONFIG_H
#define ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_SAVED_CONFIG_H

#include "runtime/tools/zprun/quantize/model_family.h"

namespace zp::rt {

/// What becomes of a config.json: every field of the family is there, nothing is left that the reference drops. The
/// caller adds `dtype` and `quantization_config`. Config for what can't be kept; `path` begins its message.
StatusOr<nlohmann::json> savedConfig(const nlohmann::json &given, const ModelFamily &family, const std::string &path);

/// What becomes of a generation_config.json.
nlohmann::json savedGenerationConfig(const nlohmann::json &given);
/// The same where there is none: from the config.json as it was given.
nlohmann::json generationConfigOfModel(const nlohmann::json &given);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_SAVED_CONFIG_H
