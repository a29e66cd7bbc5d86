// Conversions between stored elements and arithmetic, shared by the reference and the fast kernels.
// Every rounding is to nearest, ties to even; NaN stays NaN.
#ifndef ZP_RUNTIME_BASE_NUMERIC_H
#define ZP_RUNTIME_BASE_NUMERIC_H

#include <bit>
#include <cmath>
#include <cstdint>

#include "runtime/schema/tensor_view.h"

namespace zp::rt {

inline float bf16ToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

inline uint16_t floatToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float f16ToFloat(uint16_t bits) {
  uint32_t sign = uint32_t{bits & 0x8000u} << 16, exponent = (bits >> 10) & 31u, mantissa = bits & 1023u;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) // zero or subnormal: mantissa·2⁻²⁴ is exact
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(mantissa) * 0x1p-24f));
  return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
}

inline uint16_t floatToF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u)
    return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) // 65520 and up round to infinity
    return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x38800000u) { // below 2⁻¹⁴: adding 0.5 leaves m·2⁻²⁴ in the low mantissa bits, rounded by the adder
    float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
  }
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13));
}

/// What `value` becomes when it is stored as `dtype`. F64 keeps it: the oracle then works without rounding.
inline double roundTo(DType dtype, double value) {
  switch (dtype) {
  case DType::F32:
    return static_cast<float>(value);
  case DType::BF16:
    return bf16ToFloat(floatToBf16(static_cast<float>(value)));
  case DType::F16:
    return f16ToFloat(floatToF16(static_cast<float>(value)));
  default:
    return value;
  }
}

/// Element `index` of a tensor, whatever its dtype. For oracles and scalars: not for inner loops.
inline double loadElement(const TensorView &tensor, int64_t index) {
  switch (tensor.dtype) {
  case DType::F32:
    return tensor.as<float>()[index];
  case DType::BF16:
    return bf16ToFloat(tensor.as<uint16_t>()[index]);
  case DType::F16:
    return f16ToFloat(tensor.as<uint16_t>()[index]);
  case DType::F64:
    return tensor.as<double>()[index];
  case DType::I32:
    return tensor.as<int32_t>()[index];
  case DType::I64:
    return static_cast<double>(tensor.as<int64_t>()[index]);
  case DType::U8:
    return tensor.as<uint8_t>()[index];
  }
  return 0;
}

inline void storeElement(const TensorView &tensor, int64_t index, double value) {
  switch (tensor.dtype) {
  case DType::F32:
    tensor.as<float>()[index] = static_cast<float>(value);
    return;
  case DType::BF16:
    tensor.as<uint16_t>()[index] = floatToBf16(static_cast<float>(value));
    return;
  case DType::F16:
    tensor.as<uint16_t>()[index] = floatToF16(static_cast<float>(value));
    return;
  case DType::F64:
    tensor.as<double>()[index] = value;
    return;
  case DType::I32:
    tensor.as<int32_t>()[index] = static_cast<int32_t>(value);
    return;
  case DType::I64:
    tensor.as<int64_t>()[index] = static_cast<int64_t>(value);
    return;
  case DType::U8:
    tensor.as<uint8_t>()[index] = static_cast<uint8_t>(value);
    return;
  }
}

} // namespace zp::rt

#endif // ZP_RUNTIME_BASE_NUMERIC_H
