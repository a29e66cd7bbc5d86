// What a PEFT adapter does to the weights of its base: products of two small matrices that are added, and whole tensors that
// take a weight's place.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MERGE_ADAPTER_CHANGES_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MERGE_ADAPTER_CHANGES_H

#include <map>
#include <string>
#include <vector>

#include "runtime/io/model_weights.h"
#include "runtime/io/parameter_info.h"

namespace zp::rt {

/// What is added to a weight [rows, columns].
struct LowRankChange {
  std::string a, b; ///< tensors of the adapter
  uint64_t rows = 0, rank = 0, columns = 0;
  float scale = 1;
  bool transposed = false; ///< the weight is kept as (B·A)ᵀ
  bool embedding = false;
};

/// scale·left·right, in fp32 as PEFT computes it: left [rows, rank], right [rank, columns].
class LowRankProduct {
public:
  static StatusOr<LowRankProduct> load(ModelWeights &weights, const LowRankChange &change);
  /// Writes elements [first, first+count) of the flattened product.
  void compute(uint64_t first, uint64_t count, float *out) const;

private:
  std::vector<float> left, right;
  uint64_t rank = 0, columns = 0;
  float scale = 1;
};

/// Tensors are named as the model's class names them.
struct AdapterChanges {
  std::string place; ///< the adapter's weights file
  ModelWeights weights;
  std::map<std::string, LowRankChange> added;
  std::map<std::string, std::string> replaced; ///< name of the base to the adapter's own
};

/// Reads DIR/adapter_config.json and DIR/adapter_model.safetensors. AdapterMismatch for what isn't plain LoRA and for
/// tensors that don't belong together; FileMissing, Json, Config, TensorShape, TensorDtype. `modelType` is the base's, by which PEFT knows
/// how linears are kept, whatever fan_in_fan_out says.
StatusOr<AdapterChanges> readAdapterChanges(const std::string &directory, std::string_view modelType);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MERGE_ADAPTER_CHANGES_H
