#include "runtime/tools/zprun/merge/stored_weight.h"

#include <cstring>

namespace zp::rt {

StatusOr<StoredWeight> StoredWeight::open(ModelWeights &from, const std::string &name) {
  StoredWeight weight;
  ZP_ASSIGN_OR_RETURN(weight.tensor, from.find(name));
  const std::string kind = quantizedAs(from, name), place = placeOf(weight.tensor, name);
  if (kind == "int8")
    return Status(ErrorCode::QuantFormat, place + "is quantized to int8, expected floats or 4 bits; name the original with --model");
  if (!kind.empty()) {
    ZP_ASSIGN_OR_RETURN(weight.quantized, PrequantizedWeight::open(from, name, *quantTypeOf(kind)));
    return weight;
  }
  if (!floatOf(weight.tensor.info->dtype, weight.stored))
    return Status(ErrorCode::TensorDtype,
                  place + "dtype is " + textOf(weight.tensor.info->dtype) + ", expected F32, BF16 or F16; convert the checkpoint");
  return weight;
}

uint64_t StoredWeight::elements() const {
  uint64_t n = 1;
  for (uint64_t dim : shape())
    n *= dim;
  return n;
}

Status StoredWeight::read(uint64_t first, uint64_t count, void *out) const {
  if (quantized)
    return quantized->dequantize(first, count, out);
  std::memcpy(out, tensor.data() + bytesOf(stored, first), bytesOf(stored, count));
  tensor.file->release(*tensor.info, bytesOf(stored, first), bytesOf(stored, count));
  return {};
}

} // namespace zp::rt
