// Stored elements and f32, in which kernels compute: every rounding is to nearest, ties to even, NaN stays NaN. Eight elements are
// moved at a time where they lie at a multiple of 16 bytes.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ELEMENT_H
#define ZP_RUNTIME_KERNELS_CUDA_ELEMENT_H

#include <cstring>
#include <type_traits>

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

/// Two neighbours at a time, whose halves of a word are an instruction away from f32.
template <typename T> ZP_DEVICE void toFloats(const T *two, float &first, float &second) {
  if constexpr (std::is_same_v<T, Bf16>) {
    uint32_t word;
    memcpy(&word, two, sizeof word);
    first = __uint_as_float(word << 16);
    second = __uint_as_float(word & 0xffff0000u);
#ifdef __CUDACC__
  } else if constexpr (std::is_same_v<T, F16>) {
    __half2 word;
    memcpy(&word, two, sizeof word);
    first = __low2float(word);
    second = __high2float(word);
#endif
  } else {
    first = toFloat(two[0]);
    second = toFloat(two[1]);
  }
}

#ifdef __CUDACC__
// A GPU rounds two floats to a word in one instruction (F2FP); for one alone nvcc takes another, of a narrower pipe (F2F).
ZP_DEVICE uint32_t bf16Pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t *>(&pair);
}
ZP_DEVICE uint32_t f16Pair(float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<const uint32_t *>(&pair);
}
#endif

template <typename T> ZP_DEVICE T fromFloat(float value);
template <> ZP_DEVICE float fromFloat<float>(float value) { return value; }
template <> ZP_DEVICE double fromFloat<double>(float value) { return value; }
template <> ZP_DEVICE Bf16 fromFloat<Bf16>(float value) {
#ifdef __CUDACC__
  return {static_cast<uint16_t>(bf16Pair(value, 0))};
#else
  const uint32_t bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
#endif
}
template <> ZP_DEVICE F16 fromFloat<F16>(float value) {
#ifdef __CUDACC__
  return {static_cast<uint16_t>(f16Pair(value, 0))};
#else
  return {floatToF16(value)};
#endif
}
template <typename T> ZP_DEVICE void fromFloats(float first, float second, T *two) {
  two[0] = fromFloat<T>(first);
  two[1] = fromFloat<T>(second);
}
#ifdef __CUDACC__
template <> ZP_DEVICE void fromFloats<Bf16>(float first, float second, Bf16 *two) {
  const uint32_t pair = bf16Pair(first, second);
  memcpy(two, &pair, sizeof pair);
}
template <> ZP_DEVICE void fromFloats<F16>(float first, float second, F16 *two) {
  const uint32_t pair = f16Pair(first, second);
  memcpy(two, &pair, sizeof pair);
}
#endif

/// The value that `value` has once it is stored as a T.
template <typename T> ZP_DEVICE float rounded(float value) { return toFloat(fromFloat<T>(value)); }
#ifdef __CUDACC__ // the upper half of a word is the float
template <> ZP_DEVICE float rounded<Bf16>(float value) { return __uint_as_float(bf16Pair(0, value)); }
#endif

/// For sums of products, in kernels that may round them as they like: once, by a multiply-add (nvcc is told to contract nothing of its own).
ZP_DEVICE float multipliedAndAdded(float a, float b, float c) {
#ifdef __CUDACC__
  return __fmaf_rn(a, b, c);
#else
  return a * b + c;
#endif
}

constexpr int kPack = 8;
template <typename T> struct alignas(16) Pack { T at[kPack]; };

/// The count of a pack that the host has promised to be whole and to lie at a multiple of 16 bytes: nothing is asked on the device.
struct Whole {
  ZP_DEVICE operator int() const { return kPack; }
};

template <typename T> ZP_DEVICE bool isPack(const T *place, int count) { return count == kPack && reinterpret_cast<uintptr_t>(place) % 16 == 0; }
template <typename T> ZP_DEVICE bool isPack(const T *place, Whole) {
#ifndef __CUDACC__ // where a GPU stops as well
  if (reinterpret_cast<uintptr_t>(place) % 16 != 0)
    __builtin_trap();
#endif
  return true;
}

/// place[0, count), count an int of at most kPack or Whole; the rest is zero.
template <typename T, typename Count> ZP_DEVICE Pack<T> packOf(const T *place, Count count) {
  if (isPack(place, count))
    return *reinterpret_cast<const Pack<T> *>(place);
  Pack<T> pack{};
  for (int i = 0; i < kPack; ++i)
    if (i < count)
      pack.at[i] = place[i];
  return pack;
}
template <typename T> ZP_DEVICE void unpack(const Pack<T> &pack, float (&out)[kPack]) {
  for (int i = 0; i < kPack; i += 2)
    toFloats(&pack.at[i], out[i], out[i + 1]);
}

/// Rounded to T each.
template <typename T> ZP_DEVICE Pack<T> packed(const float (&values)[kPack]) {
  Pack<T> pack;
  for (int i = 0; i < kPack; i += 2)
    fromFloats(values[i], values[i + 1], &pack.at[i]);
  return pack;
}

template <typename T, typename Count> ZP_DEVICE void load(const T *place, Count count, float (&out)[kPack]) { unpack(packOf(place, count), out); }

template <typename T, typename Count> ZP_DEVICE void store(T *place, Count count, const float (&values)[kPack]) {
  if (isPack(place, count)) {
    *reinterpret_cast<Pack<T> *>(place) = packed<T>(values);
    return;
  }
  for (int i = 0; i < kPack; ++i) // of a fixed length: values stay in registers
    if (i < count)
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
