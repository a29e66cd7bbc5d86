// The JSON that a quantised checkpoint keeps beside a weight, as the tensor `P.weight.quant_state.bitsandbytes__nf4`
// (or fp4).
//
// Contract. The text is Python's json.dumps of what bitsandbytes 0.50.2 stores, byte for byte. The reader takes any
// order and white space, and refuses what it doesn't know: a Json error for text that is no object, a QuantState error
// for a key that is missing, unknown or repeated, and for a value that can't be used. Every error names the file and
// the tensor.
#ifndef ZP_RUNTIME_QUANT_QUANT_STATE_JSON_H
#define ZP_RUNTIME_QUANT_QUANT_STATE_JSON_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/quant/block_format.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt {

struct QuantState {
  BlockFormat format;
  DType dtype = DType::BF16;         ///< of the weight before it was quantised: f32, bf16 or f16
  std::vector<uint64_t> shape;       ///< of the weight
  std::optional<float> nestedOffset; ///< present exactly if the scales are nested (in groups of 256, fp32)

  uint64_t elements() const;
  bool operator==(const QuantState &) const = default;
};

/// "quant_state.bitsandbytes__nf4": what follows "P.weight." in the tensor's name.
std::string quantStateSuffix(QuantType type);

std::string writeQuantState(const QuantState &state);

/// `place` is FILE:TENSOR, `type` the one that the tensor's name says.
StatusOr<QuantState> readQuantState(std::string_view place, std::string_view text, QuantType type);

/// Sizes of the tensors beside a quant_state; an absent one has 0 elements.
struct QuantTensorSizes {
  uint64_t packedBytes = 0;
  uint64_t scales = 0;         ///< elements of `absmax`
  bool scalesAreCodes = false; ///< `absmax` is u8, not f32
  uint64_t nestedScales = 0, quantMap = 0, nestedQuantMap = 0;
};

/// A QuantState error unless the tensors have the sizes that `state` needs.
Status checkQuantTensors(std::string_view place, const QuantState &state, const QuantTensorSizes &sizes);

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_QUANT_STATE_JSON_H
