// What config.json says of weights that bitsandbytes has quantised already: its
// `quantization_config`, as transformers 4 and 5 write it.
#ifndef ZP_FRONTENDS_HUGGINGFACE_QUANTIZATIONCONFIG_H
#define ZP_FRONTENDS_HUGGINGFACE_QUANTIZATIONCONFIG_H

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontends/common/JsonDocument.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

struct CheckpointQuantization {
  std::string quantType; ///< nf4 or fp4
  bool nested = false;
  std::string storage; ///< dtype that the packed bytes go by in the file
  std::string computeDtype;
  /// Modules that stay in floats, the head among them only when it is named; absent: the head.
  std::optional<std::vector<std::string>> skipped;
};

/// Nothing when the weights are in floating point. UnknownArchitecture for another method, 8 bits or an unknown type.
StatusOr<std::optional<CheckpointQuantization>> importQuantization(const JsonDocument &config);

/// Lays the file's format over the job's settings: the weights are as they are. A flag (of `given`)
/// that says otherwise, and a compute dtype that isn't the job's, get a line in `warnings`.
void adoptQuantization(const CheckpointQuantization &quantization, const JsonDocument &config, const std::set<std::string> &given,
                       JobSettings &settings, std::vector<std::string> &warnings);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_QUANTIZATIONCONFIG_H
