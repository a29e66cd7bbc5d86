// The architectures whose directories `zprun quantize` knows: what their config.json holds and which tensors they have.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_MODEL_FAMILY_H
#define ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_MODEL_FAMILY_H

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/base/status.h"

namespace zp::rt {

struct ModelFamily {
  const char *architecture; ///< architectures[0] of config.json
  const char *modelType;
  const char *fields;   ///< JSON: the configuration's fields and their defaults, as transformers 5.23 declares them
  bool derivesHeadDim;  ///< a null head_dim is hidden_size / heads
  bool hasLayerTypes;   ///< layer_types, and a sliding_window that use_sliding_window switches
  bool alwaysQkvBias;   ///< q, k and v have a bias whatever the configuration says
  bool normalizesHeads; ///< q_norm and k_norm
};

/// Null for an architecture that isn't known.
const ModelFamily *findFamily(std::string_view architecture);
/// "LlamaForCausalLM, MistralForCausalLM, …"
std::string knownArchitectures();

/// A parameter of a model.
struct ModelTensor {
  std::string name;
  std::vector<uint64_t> shape;
  bool linear = false; ///< the weight of a linear other than the head: what is quantised
};

/// All parameters, the head (if `head`) last. `config` has every field of the family. Config for sizes that are no
/// sizes; `path` begins its message.
StatusOr<std::vector<ModelTensor>> tensorsOf(const ModelFamily &family, const nlohmann::json &config, bool head,
                                             const std::string &path);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_MODEL_FAMILY_H
