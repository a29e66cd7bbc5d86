#include "runtime/quant/quantize_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "runtime/base/numeric.h"
#include "runtime/quant/block_codec.h"

namespace zp::rt {

namespace {

std::string placeOf(const WeightPiece &piece) { return std::string(piece.file) + ": tensor " + std::string(piece.tensor) + ": "; }

float elementOf(const WeightPiece &piece, uint64_t index) {
  const std::byte *at = piece.elements + bytesOf(piece.dtype, index);
  if (piece.dtype == DType::F32) {
    float value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return piece.dtype == DType::BF16 ? bf16ToFloat(bits) : f16ToFloat(bits);
}

Status checkPiece(BlockFormat format, const WeightPiece &piece) {
  if (piece.dtype != DType::F32 && piece.dtype != DType::BF16 && piece.dtype != DType::F16)
    return Status(ErrorCode::TensorDtype, placeOf(piece) + "is " + textOf(piece.dtype) +
                                              ", expected f32, bf16 or f16 weights to quantize; give a checkpoint that isn't quantized yet");
  uint64_t end;
  bool inside = !__builtin_add_overflow(piece.first, piece.count, &end) && end <= piece.total;
  bool whole = isQuantBlockSize(format.blockSize) && piece.first % format.blockSize == 0 && (end == piece.total || end % format.blockSize == 0);
  if (!inside || (piece.count > 0 && !whole))
    return Status(ErrorCode::Internal, placeOf(piece) + "a piece of " + std::to_string(piece.count) + " elements from " +
                                           std::to_string(piece.first) + " doesn't consist of whole blocks of " + std::to_string(format.blockSize));
  return {};
}

/// A block's scale is finite exactly if its elements are.
Status checkFinite(BlockFormat format, const WeightPiece &piece, float *absmax) {
  float *scalesEnd = absmax + blocksOf(piece.count, format.blockSize);
  const float *bad = std::find_if_not(absmax, scalesEnd, [](float scale) { return std::isfinite(scale); });
  if (bad == scalesEnd)
    return {};
  uint64_t index = static_cast<uint64_t>(bad - absmax) * format.blockSize;
  while (std::isfinite(elementOf(piece, index)))
    ++index;
  return Status(ErrorCode::NonFinite, placeOf(piece) + "element " + std::to_string(piece.first + index) + " of the flattened weight is " +
                                          (std::isnan(elementOf(piece, index)) ? "not a number" : "infinite") +
                                          ", expected finite weights; fetch the checkpoint again or mend it");
}

} // namespace

Status quantizeWeights(BlockFormat format, const WeightPiece &piece, uint8_t *packed, float *absmax) {
  ZP_RETURN_IF_ERROR(checkPiece(format, piece));
  quantizeBlocks(format, piece.elements, piece.dtype, piece.count, packed, absmax);
  return checkFinite(format, piece, absmax);
}

Status scalesOfWeights(BlockFormat format, const WeightPiece &piece, float *absmax) {
  ZP_RETURN_IF_ERROR(checkPiece(format, piece));
  scalesOfBlocks(format, piece.elements, piece.dtype, piece.count, absmax);
  return checkFinite(format, piece, absmax);
}

} // namespace zp::rt
