// Stored elements and f32, in which kernels compute: every rounding is to nearest, ties to even, NaN stays NaN. Eight elements are
// moved at a time where they lie at a multiple of 16 bytes.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ELEMENT_H
#define ZP_RUNTIME_KERNELS_CUDA_ELEMENT_H

#include "runtime/kernels/cuda/language.h"
#include "runtime/schema/dtypes.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#else
#include "runtime/base/numeric.h"
#endif

namespace zp::rt::cuda {

struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};

ZP_DEVICE float toFloat(float value) { return value; }
ZP_DEVICE float toFloat(double value) { return static_cast<float>(value); }
ZP_DEVICE float toFloat(Bf16 value) { return __uint_as_float(static_cast<uint32_t>(value.bits) << 16); }
ZP_DEVICE float toFloat(F16 value) {
#ifdef __CUDACC__
  return __half2float(__ushort_as_half(value.bits));
#else
  return f16ToFloat(value.bits);
#endif
}

template <typename T> ZP_DEVICE T fromFloat(float value);
template <> ZP_DEVICE float fromFloat<float>(float value) { return value; }
template <> ZP_DEVICE double fromFloat<double>(float value) { return value; }
template <> ZP_DEVICE Bf16 fromFloat<Bf16>(float value) {
#ifdef __CUDACC__ // one instruction
  return {__bfloat16_as_ushort(__float2bfloat16_rn(value))};
#else
  const uint32_t bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
#endif
}
template <> ZP_DEVICE F16 fromFloat<F16>(float value) {
#ifdef __CUDACC__
  return {__half_as_ushort(__float2half_rn(value))};
#else
  return {floatToF16(value)};
#endif
}

/// The value that `value` has once it is stored as a T.
template <typename T> ZP_DEVICE float rounded(float value) { return toFloat(fromFloat<T>(value)); }

constexpr int kPack = 8;
template <typename T> struct alignas(16) Pack {
  T at[kPack];
};

template <typename T> ZP_DEVICE bool isPack(const T *place, int count) {
  return count == kPack && reinterpret_cast<uintptr_t>(place) % 16 == 0;
}

/// out[0, count) = place[0, count), count <= kPack; the rest is zero.
template <typename T> ZP_DEVICE void load(const T *place, int count, float (&out)[kPack]) {
  if (isPack(place, count)) {
    const Pack<T> pack = *reinterpret_cast<const Pack<T> *>(place);
    for (int i = 0; i < kPack; ++i)
      out[i] = toFloat(pack.at[i]);
    return;
  }
  for (int i = 0; i < kPack; ++i)
    out[i] = i < count ? toFloat(place[i]) : 0.0f;
}

template <typename T> ZP_DEVICE void store(T *place, int count, const float (&values)[kPack]) {
  if (isPack(place, count)) {
    Pack<T> pack;
    for (int i = 0; i < kPack; ++i)
      pack.at[i] = fromFloat<T>(values[i]);
    *reinterpret_cast<Pack<T> *>(place) = pack;
    return;
  }
  for (int i = 0; i < count; ++i)
    place[i] = fromFloat<T>(values[i]);
}

/// Calls `body` with a value of the type that elements of `dtype`, a compute dtype, have.
template <typename Body> void withElement(DType dtype, const Body &body) {
  if (dtype == DType::F32)
    body(float());
  else if (dtype == DType::BF16)
    body(Bf16());
  else
    body(F16());
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_ELEMENT_H
