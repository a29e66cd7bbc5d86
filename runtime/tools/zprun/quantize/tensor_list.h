// The tensors of a model, by the sizes that its configuration says.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_TENSOR_LIST_H
#define ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_TENSOR_LIST_H

#include <utility>

#include "runtime/tools/zprun/quantize/model_family.h"

namespace zp::rt {

class TensorList {
public:
  /// `path` begins the message about a wrong size.
  TensorList(const char *modelType, const nlohmann::json &config, const std::string &path) : modelType(modelType), config(config), path(path) {}

  /// A number of the configuration; `absent` where it is null, unless that is 0. The first wrong one is kept; what it was is
  /// then of no matter.
  uint64_t size(const char *key, uint64_t absent = 0);
  /// A size that tensors are listed by, at most kMaxLayers (model_limits.h).
  uint64_t layers(const char *key);
  bool flag(const char *key) const;

  void add(const std::string &name, std::vector<uint64_t> shape) { tensors.push_back({name, std::move(shape)}); }
  /// The weight of a linear, in 4 bits unless its family keeps it in floats, and its bias if it has one.
  void linear(const std::string &module, uint64_t out, uint64_t in, bool bias);
  void layerNorm(const std::string &module, uint64_t width);
  void buffer(const std::string &name, std::vector<uint64_t> shape);

  Status status;
  std::vector<ModelTensor> tensors;

private:
  uint64_t wrong(const char *key, const std::string &value, const std::string &expected);
  const char *modelType;
  const nlohmann::json &config;
  const std::string &path;
};

// What the families list.
void listRotaryDecoder(const nlohmann::json &config, TensorList &tensors);
void listFalcon(const nlohmann::json &config, TensorList &tensors);
void listBloom(const nlohmann::json &config, TensorList &tensors);
void listBart(const nlohmann::json &config, TensorList &tensors);
void listT5(const nlohmann::json &config, TensorList &tensors);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_TENSOR_LIST_H
