// A weight that the checkpoint keeps in 4 bits: the tensors that bitsandbytes puts beside each other, checked; copied
// into records as they are, nothing is quantised anew, or dequantised.
//
// The packed bytes may be labelled with another dtype than u8 (quant_storage): they are the same bytes. Kernels know one map
// of codes for each type and one of scales, those of the reference: a checkpoint that says others is refused.
#ifndef ZP_RUNTIME_IO_PREQUANTIZED_WEIGHT_H
#define ZP_RUNTIME_IO_PREQUANTIZED_WEIGHT_H

#include <span>

#include "runtime/io/parameter_records.h"
#include "runtime/quant/quant_state_json.h"

namespace zp::rt {

class PrequantizedWeight {
public:
  /// QuantFormat when the weight isn't quantised, or otherwise than the plan says; QuantState when its tensors
  /// contradict each other or can't be used; TensorDtype, TensorMissing.
  static StatusOr<PrequantizedWeight> open(ModelWeights &from, const ParameterRecords &records);
  /// A weight that quantizedAs says is of this type, whatever its format.
  static StatusOr<PrequantizedWeight> open(ModelWeights &from, const std::string &name, QuantType type);

  /// Codes and scales of the rank's records. NonFinite for a scale that isn't a number.
  Status copy(const ParameterRecords &records) const;

  const QuantState &format() const { return state; }
  /// Elements [first, first+count) of the flattened weight, in the dtype that it was quantised from. `first` begins a
  /// block. NonFinite for a scale that isn't a number.
  Status dequantize(uint64_t first, uint64_t count, void *out) const;

private:
  Status checkSizes() const;
  Status checkPlan(const ParameterRecords &records) const;
  Status checkMap(const WeightTensor &map, const char *suffix, std::span<const float> expected, const char *kind) const;
  Status checkFinite(const WeightTensor &tensor, const char *suffix, uint64_t first, const std::byte *values, uint64_t count) const;

  std::string name, place; // FILE:TENSOR of the quant_state
  QuantState state;
  WeightTensor packed, absmax, quantMap, nestedAbsmax, nestedMap; // the last two of nested ones
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_PREQUANTIZED_WEIGHT_H
