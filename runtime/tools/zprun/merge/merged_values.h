// The values of a weight of the merged model, piece by piece: what the base has, or the adapter in its place, and what is added.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_VALUES_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_VALUES_H

#include "runtime/tools/zprun/merge/adapter_changes.h"
#include "runtime/tools/zprun/merge/stored_weight.h"

namespace zp::rt {

class MergedValues {
public:
  /// The tensor `source` of `from`, which the base has in `dtype`. `change` of `changes` is added to it unless it is null. `name` is for errors.
  static StatusOr<MergedValues> open(ModelWeights &from, const std::string &source, DType dtype, AdapterChanges &changes, const LowRankChange *change,
                                     const std::string &name);

  uint64_t elements() const { return weight.elements(); }
  /// Elements [first, first+count) in fp32, W + scale·B·A; `roundChange`: the product is rounded to W's dtype first, which an embedding's
  /// always is. NonFinite for a sum that isn't a number. `first` is a multiple of 4096.
  Status read(uint64_t first, uint64_t count, bool roundChange, float *out);

private:
  StoredWeight weight;
  DType dtype = DType::F32;
  bool roundsChange = false;
  std::optional<LowRankProduct> product;
  std::string place; // ADAPTER: NAME
  std::vector<std::byte> stored;
  std::vector<float> added;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_VALUES_H
