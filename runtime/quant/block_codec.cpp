#include "runtime/quant/block_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/base/numeric.h"

namespace zp::rt {

namespace {

/// What a block's elements are divided by is at least this; a denormal.
constexpr float kSmallestDivisor = 1e-38f;

void loadFloats(const std::byte *elements, DType dtype, uint64_t count, float *out) {
  if (dtype == DType::F32) {
    std::memcpy(out, elements, count * sizeof(float));
    return;
  }
  uint16_t halves[kLargestQuantBlock];
  std::memcpy(halves, elements, count * sizeof(uint16_t));
  if (dtype == DType::BF16) {
    for (uint64_t i = 0; i < count; ++i)
      out[i] = bf16ToFloat(halves[i]);
  } else {
    for (uint64_t i = 0; i < count; ++i)
      out[i] = f16ToFloat(halves[i]);
  }
}

/// The largest magnitude; a NaN if there is one: as integers, magnitudes are ordered and NaNs lie above infinity.
float largestMagnitude(const float *x, uint64_t count) {
  int32_t largest = 0;
  for (uint64_t i = 0; i < count; ++i)
    largest = std::max(largest, std::bit_cast<int32_t>(x[i]) & 0x7fffffff);
  return std::bit_cast<float>(largest);
}

float divisorOf(float absmax) { return absmax < kSmallestDivisor ? kSmallestDivisor : absmax; } // a NaN stays

/// What is stored: a full block's true magnitude, the tail's divisor.
float scaleOf(const float *x, uint64_t count, bool tail) {
  float absmax = largestMagnitude(x, count);
  return tail ? divisorOf(absmax) : absmax;
}

/// Sets x to x over the block's divisor. The reference also clamps x to [-1, 1], which changes no code: every bound lies
/// inside. A full block multiplies by the reciprocal, the tail divides.
void normalize(float *x, uint64_t count, float scale, bool tail) {
  float divisor = divisorOf(scale);
  if (tail) {
    for (uint64_t i = 0; i < count; ++i)
      x[i] /= divisor;
    return;
  }
  float reciprocal = 1.0f / divisor;
  for (uint64_t i = 0; i < count; ++i)
    x[i] *= reciprocal;
}

/// Packs the codes of v[0, count). count is even, or v[count] is 0.
void encode(const QuantTable &table, const float *v, uint64_t count, uint8_t *packed) {
  int32_t ranks[kLargestQuantBlock];
  uint64_t padded = count + count % 2;
  for (uint64_t i = 0; i < padded; ++i) {
    int32_t rank = 0;
    for (float bound : table.bounds)
      rank += !(v[i] <= bound); // true for a NaN
    ranks[i] = rank;
  }
  for (uint64_t j = 0; j < padded / 2; ++j)
    packed[j] = static_cast<uint8_t>(table.codeOfRank[ranks[2 * j]] << 4 | table.codeOfRank[ranks[2 * j + 1]]);
}

/// Element i of a block, times two elements a byte.
template <typename T, T (*Round)(float)> void decode(const QuantTable &table, const uint8_t *packed, float absmax, uint64_t count, std::byte *out) {
  T rounded[kQuantCodes];
  for (int code = 0; code < kQuantCodes; ++code)
    rounded[code] = Round(table.values[code] * absmax);
  T block[kLargestQuantBlock];
  for (uint64_t j = 0; j < count / 2; ++j) {
    block[2 * j] = rounded[packed[j] >> 4];
    block[2 * j + 1] = rounded[packed[j] & 15];
  }
  if (count % 2 != 0)
    block[count - 1] = rounded[packed[count / 2] >> 4];
  std::memcpy(out, block, count * sizeof(T));
}

float keep(float value) { return value; }

void decodeBlock(const QuantTable &table, const uint8_t *packed, float absmax, uint64_t count, DType dtype, std::byte *out) {
  switch (dtype) {
  case DType::BF16:
    return decode<uint16_t, floatToBf16>(table, packed, absmax, count, out);
  case DType::F16:
    return decode<uint16_t, floatToF16>(table, packed, absmax, count, out);
  default:
    return decode<float, keep>(table, packed, absmax, count, out);
  }
}

} // namespace

void quantizeBlocks(BlockFormat format, const std::byte *elements, DType dtype, uint64_t count, uint8_t *packed, float *absmax) {
  const QuantTable &table = tableOf(format.type);
  float v[kLargestQuantBlock + 1];
  for (uint64_t done = 0; done < count; done += format.blockSize) {
    uint64_t n = std::min<uint64_t>(format.blockSize, count - done);
    loadFloats(elements + bytesOf(dtype, done), dtype, n, v);
    *absmax = scaleOf(v, n, n < format.blockSize);
    normalize(v, n, *absmax++, n < format.blockSize);
    v[n] = 0;
    encode(table, v, n, packed + done / 2);
  }
}

void scalesOfBlocks(BlockFormat format, const std::byte *elements, DType dtype, uint64_t count, float *absmax) {
  float v[kLargestQuantBlock];
  for (uint64_t done = 0; done < count; done += format.blockSize) {
    uint64_t n = std::min<uint64_t>(format.blockSize, count - done);
    loadFloats(elements + bytesOf(dtype, done), dtype, n, v);
    *absmax++ = scaleOf(v, n, n < format.blockSize);
  }
}

void dequantizeBlocks(BlockFormat format, const uint8_t *packed, const float *absmax, uint64_t count, DType dtype, void *out) {
  const QuantTable &table = tableOf(format.type);
  for (uint64_t done = 0; done < count; done += format.blockSize) {
    uint64_t n = std::min<uint64_t>(format.blockSize, count - done);
    decodeBlock(table, packed + done / 2, *absmax++, n, dtype, static_cast<std::byte *>(out) + bytesOf(dtype, done));
  }
}

} // namespace zp::rt
