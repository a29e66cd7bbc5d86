// Quantises a rank's piece of a weight that comes from a file: block_codec.h behind checks.
#ifndef ZP_RUNTIME_QUANT_QUANTIZE_WEIGHTS_H
#define ZP_RUNTIME_QUANT_QUANTIZE_WEIGHTS_H

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/status.h"
#include "runtime/quant/block_format.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt {

/// Elements [first, first + count) of a flattened weight of `total` elements. It begins at a block's start and ends at
/// a block's end or at the weight's; an empty one may be anywhere.
struct WeightPiece {
  std::string_view file, tensor; ///< for errors
  const std::byte *elements = nullptr;
  DType dtype = DType::F32;
  uint64_t first = 0, count = 0, total = 0;
};

/// Writes the piece's packedBytesOf(count) bytes and blocksOf(count) scales. Refuses a dtype that isn't a float
/// (TensorDtype) and an element that isn't finite (NonFinite), naming file, tensor and element.
Status quantizeWeights(BlockFormat format, const WeightPiece &piece, uint8_t *packed, float *absmax);

/// The same scales without codes.
Status scalesOfWeights(BlockFormat format, const WeightPiece &piece, float *absmax);

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_QUANTIZE_WEIGHTS_H
