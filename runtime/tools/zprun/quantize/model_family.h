// The architectures whose directories `zprun quantize` knows: what their config.json holds and which tensors they have.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_MODEL_FAMILY_H
#define ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_MODEL_FAMILY_H

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/base/status.h"

namespace zp::rt {

class TensorList;

struct ModelFamily {
  const char *architecture; ///< architectures[0] of config.json
  const char *modelType;
  const char *fields;  ///< JSON: the configuration's fields and their defaults, as transformers 5.23 declares them
  const char *aliases; ///< JSON: other names of fields, which go before their own (its attribute_map)
  /// Sets fields that follow from others where they aren't given. `given` is the file, `config` has every field.
  void (*derive)(const nlohmann::json &given, nlohmann::json &config);
  /// Lists all parameters but the head's.
  void (*list)(const nlohmann::json &config, TensorList &tensors);
  const char *note; ///< what whoever quantises such a model should know; null: nothing
};

/// By names that config.json may have for it, the model type before the architecture, as transformers has it; null for an architecture that
/// isn't known.
const ModelFamily *findFamily(std::string_view architecture, std::string_view modelType = {});
/// "LlamaForCausalLM, MistralForCausalLM, …"
std::string knownArchitectures();

/// A tensor of a model.
struct ModelTensor {
  std::string name;
  std::vector<uint64_t> shape;
  bool linear = false;     ///< the weight of a linear that is quantised
  bool staysF32 = false;   ///< in a model of float16: transformers keeps it in fp32 there
  bool isParameter = true; ///< else a buffer, which is zeros where the checkpoint has none
  std::string source = {}; ///< its name in the checkpoint; empty: zeros
};

/// All tensors, the head (if `head`) last. `config` has every field of the family. Config for sizes that are no sizes;
/// `path` begins its message.
StatusOr<std::vector<ModelTensor>> tensorsOf(const ModelFamily &family, const nlohmann::json &config, bool head, const std::string &path);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_MODEL_FAMILY_H
