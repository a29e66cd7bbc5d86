// What a merge makes, decided before any of it is written: each tensor's name and shape, where its values come from, what is added.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_MODEL_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_MODEL_H

#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/io/model_weights.h"
#include "runtime/tools/zprun/merge/adapter_changes.h"
#include "runtime/tools/zprun/merge/merge.h"
#include "runtime/tools/zprun/merge/merged_values.h"
#include "runtime/tools/zprun/merge/requantized_weight.h"

namespace zp::rt {

/// A tensor of the result.
struct MergedTensor {
  std::string name;
  std::string source; ///< tensor that its values come from
  bool fromAdapter = false;
  const LowRankChange *change = nullptr;
  bool floats = true;       ///< else its bytes are copied
  DType own = DType::F32;   ///< what the base has it in
  DType dtype = DType::F32; ///< in which it is written
  SafetensorsDtype label = SafetensorsDtype::F32;
  std::vector<uint64_t> shape;
  std::shared_ptr<RequantizedWeight> requantized; ///< it goes back into 4 bits

  uint64_t elements() const { return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>()); }
};

class MergedModel {
public:
  /// Reads the base and the adapter. Errors: those of files; AdapterMismatch and TensorShape where the two don't belong together.
  static StatusOr<std::unique_ptr<MergedModel>> create(const MergeOptions &options);

  /// Of the base's config.json; empty where it is no text.
  std::string textIn(const char *key) const;
  /// A tensor's values, with what is added to them.
  StatusOr<MergedValues> valuesOf(const MergedTensor &tensor);
  /// The file that an error about a tensor's values names.
  std::string placeOf(const MergedTensor &tensor) const { return tensor.fromAdapter || tensor.change ? changes.place : base.place(); }

  nlohmann::ordered_json config; ///< the base's
  ModelWeights base;
  AdapterChanges changes;
  std::vector<MergedTensor> tensors;
  bool headLeaves = false;                ///< the head was the embedding, and is a tensor of its own now
  std::optional<DType> dequantized;       ///< what the first weight in 4 bits was quantized from
  std::optional<uint64_t> vocabularySize; ///< when the adapter brings another
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_MODEL_H
