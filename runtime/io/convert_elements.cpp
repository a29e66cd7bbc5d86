#include "runtime/io/convert_elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace zp::rt {

namespace {

constexpr uint64_t kPiece = 1024;

uint16_t bf16Of(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}

float floatOfBf16(uint16_t half) { return std::bit_cast<float>(static_cast<uint32_t>(half) << 16); }

void toFloats(const std::byte *source, DType from, float *out, uint64_t count) {
  if (from == DType::F32) {
    std::memcpy(out, source, count * 4);
    return;
  }
  uint16_t halves[kPiece];
  std::memcpy(halves, source, count * 2);
  if (from == DType::BF16) {
    for (uint64_t i = 0; i < count; ++i)
      out[i] = floatOfBf16(halves[i]);
  } else {
    for (uint64_t i = 0; i < count; ++i)
      out[i] = static_cast<float>(std::bit_cast<_Float16>(halves[i]));
  }
}

void fromFloats(const float *source, DType to, void *out, uint64_t count) {
  if (to == DType::F32) {
    std::memcpy(out, source, count * 4);
  } else if (to == DType::BF16) {
    auto *halves = static_cast<uint16_t *>(out);
    for (uint64_t i = 0; i < count; ++i)
      halves[i] = bf16Of(source[i]);
  } else {
    auto *halves = static_cast<uint16_t *>(out);
    for (uint64_t i = 0; i < count; ++i)
      halves[i] = std::bit_cast<uint16_t>(static_cast<_Float16>(source[i]));
  }
}

} // namespace

bool isFloat(DType dtype) { return dtype == DType::F32 || dtype == DType::BF16 || dtype == DType::F16; }

void convertElements(const std::byte *source, DType from, void *target, DType to, uint64_t count) {
  if (from == to) {
    std::memcpy(target, source, bytesOf(from, count));
    return;
  }
  float piece[kPiece];
  auto *out = static_cast<std::byte *>(target);
  for (uint64_t done = 0; done < count; done += kPiece) {
    uint64_t n = std::min(kPiece, count - done);
    toFloats(source + bytesOf(from, done), from, piece, n);
    fromFloats(piece, to, out + bytesOf(to, done), n);
  }
}

void roundElements(float *values, uint64_t count, DType dtype) {
  std::byte narrow[kPiece * sizeof(float)];
  for (uint64_t done = 0; done < count && dtype != DType::F32; done += kPiece) {
    const uint64_t n = std::min(kPiece, count - done);
    fromFloats(values + done, dtype, narrow, n);
    toFloats(narrow, dtype, values + done, n);
  }
}

} // namespace zp::rt
