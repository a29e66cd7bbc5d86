// One tensor of the merged model, read piece by piece from wherever its values are now.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MERGE_STORED_WEIGHT_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MERGE_STORED_WEIGHT_H

#include <optional>
#include <string>
#include <vector>

#include "runtime/io/prequantized_weight.h"

namespace zp::rt {

class StoredWeight {
public:
  /// A tensor of floats, or a weight in 4 bits. TensorDtype for other elements, QuantFormat for 8 bits.
  static StatusOr<StoredWeight> open(ModelWeights &from, const std::string &name);

  const std::vector<uint64_t> &shape() const { return quantized ? quantized->format().shape : tensor.info->shape; }
  /// Of a weight in 4 bits: that which it was quantized from.
  DType dtype() const { return quantized ? quantized->format().dtype : stored; }
  uint64_t elements() const;
  /// Elements [first, first+count) in `dtype()`. `first` is a multiple of 4096.
  Status read(uint64_t first, uint64_t count, void *out) const;

private:
  WeightTensor tensor;
  DType stored = DType::F32;
  std::optional<PrequantizedWeight> quantized;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MERGE_STORED_WEIGHT_H
