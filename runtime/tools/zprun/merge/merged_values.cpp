#include "runtime/tools/zprun/merge/merged_values.h"

#include <cmath>

#include "runtime/io/convert_elements.h"

namespace zp::rt {

StatusOr<MergedValues> MergedValues::open(ModelWeights &from, const std::string &source, DType dtype, AdapterChanges &changes,
                                          const LowRankChange *change, const std::string &name) {
  MergedValues values;
  ZP_ASSIGN_OR_RETURN(values.weight, StoredWeight::open(from, source));
  values.dtype = dtype;
  values.roundsChange = change && change->embedding;
  values.place = changes.place + ": " + name;
  if (change) {
    ZP_ASSIGN_OR_RETURN(values.product, LowRankProduct::load(changes.weights, *change));
  }
  return values;
}

Status MergedValues::read(uint64_t first, uint64_t count, bool roundChange, float *out) {
  stored.resize(bytesOf(weight.dtype(), count));
  ZP_RETURN_IF_ERROR(weight.read(first, count, stored.data()));
  convertElements(stored.data(), weight.dtype(), out, DType::F32, count);
  if (weight.dtype() != dtype)
    roundElements(out, count, dtype);
  if (!product)
    return {};
  added.resize(count);
  product->compute(first, count, added.data());
  if (roundChange || roundsChange)
    roundElements(added.data(), count, dtype);
  for (uint64_t i = 0; i < count; ++i) {
    out[i] += added[i];
    if (!std::isfinite(out[i]))
      return Status(ErrorCode::NonFinite, place + ": element " + std::to_string(first + i) + " of the merged weight is " + std::to_string(out[i]) +
                                              ", expected finite numbers; look at base and adapter, one of them is broken");
  }
  return {};
}

} // namespace zp::rt
