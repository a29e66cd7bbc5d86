// Vector helpers on Highway, compiled once per target: f32 lanes over memory of f32, bf16 or f16, whole vectors or tails, and exp.
// A tail goes through the same vector operations as a whole vector, so a value never depends on where a piece begins.
#if defined(ZP_RUNTIME_KERNELS_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_SIMD_INL_H
#undef ZP_RUNTIME_KERNELS_SIMD_INL_H
#else
#define ZP_RUNTIME_KERNELS_SIMD_INL_H
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "runtime/base/numeric.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using VF32 = hn::Vec<F32>;
inline constexpr int64_t kLanes = HWY_LANES(float);
/// A bf16 in memory. Not hwy::bfloat16_t: its conversions truncate.
using Bf16 = uint16_t;
/// An f16 in memory.
struct F16 {
  uint16_t bits;
};

/// body(T()), T being what holds elements of a compute dtype.
template <typename Body> HWY_INLINE void forComputeType(DType dtype, const Body &body) {
  if (dtype == DType::BF16)
    body(Bf16());
  else if (dtype == DType::F16)
    body(F16());
  else
    body(float());
}

HWY_INLINE float toFloat(float value) { return value; }
HWY_INLINE float toFloat(Bf16 value) { return bf16ToFloat(value); }
HWY_INLINE float toFloat(F16 value) { return f16ToFloat(value.bits); }

template <class D> HWY_INLINE hn::Vec<D> load(D d, const float *from) { return hn::LoadU(d, from); }
template <class D> HWY_INLINE hn::Vec<D> load(D d, const Bf16 *from) {
  const hn::Rebind<uint32_t, D> du32;
  const hn::Rebind<uint16_t, D> du16;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du32, hn::LoadU(du16, from))));
}
/// Where the CPU doesn't convert f16 itself, Highway's conversion knows no infinity, no NaN and no rounding: numeric.h's does.
inline constexpr bool kConvertsF16 = HWY_TARGET < HWY_SSE4;
template <class D> HWY_INLINE hn::Vec<D> load(D d, const F16 *from) {
  if constexpr (kConvertsF16) {
    const hn::Rebind<hwy::float16_t, D> d16;
    const hn::Rebind<uint16_t, D> du16;
    return hn::PromoteTo(d, hn::BitCast(d16, hn::LoadU(du16, &from->bits)));
  } else {
    HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
    for (size_t i = 0; i < hn::MaxLanes(d); ++i)
      lanes[i] = f16ToFloat(from[i].bits);
    return hn::Load(d, lanes);
  }
}

HWY_INLINE void store(F32 d, VF32 value, float *to) { hn::StoreU(value, d, to); }
/// The bits of each lane, rounded to nearest even so that the upper half is its bf16. NaN stays NaN.
HWY_INLINE hn::Vec<hn::Rebind<uint32_t, F32>> bf16Bits(F32 d, VF32 value) {
  const hn::Rebind<uint32_t, F32> du32;
  const auto bits = hn::BitCast(du32, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du32, 1u));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du32, 0x7fffu)));
  const auto quiet = hn::Or(bits, hn::Set(du32, 0x400000u));
  return hn::IfThenElse(hn::RebindMask(du32, hn::IsNaN(value)), quiet, rounded);
}
HWY_INLINE void store(F32 d, VF32 value, Bf16 *to) {
  const hn::Rebind<int32_t, F32> di32;
  const hn::Rebind<uint16_t, F32> du16;
  hn::StoreU(hn::DemoteTo(du16, hn::BitCast(di32, hn::ShiftRight<16>(bf16Bits(d, value)))), du16, to);
}

HWY_INLINE void store(F32 d, VF32 value, F16 *to) {
  if constexpr (kConvertsF16) {
    const hn::Rebind<hwy::float16_t, F32> d16;
    const hn::Rebind<uint16_t, F32> du16;
    hn::StoreU(hn::BitCast(du16, hn::DemoteTo(d16, value)), du16, &to->bits);
  } else {
    HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(value, d, lanes);
    for (size_t i = 0; i < hn::MaxLanes(d); ++i)
      to[i].bits = floatToF16(lanes[i]);
  }
}

/// Two vectors that follow each other in memory: for bf16 half the work of two stores.
template <typename T> HWY_INLINE void storeTwo(F32 d, VF32 low, VF32 high, T *to) {
  store(d, low, to);
  store(d, high, to + kLanes);
}
#if HWY_TARGET != HWY_SCALAR
template <> HWY_INLINE void storeTwo<Bf16>(F32 d, VF32 low, VF32 high, Bf16 *to) {
  const hn::Repartition<uint16_t, F32> du16;
  hn::StoreU(hn::ConcatOdd(du16, hn::BitCast(du16, bf16Bits(d, high)), hn::BitCast(du16, bf16Bits(d, low))), du16, to);
}
#endif

/// The first `count` lanes from memory, the others zero.
template <typename T> HWY_INLINE VF32 loadPart(F32 d, const T *from, size_t count) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(buffer, from, count * sizeof(T));
  return load(d, buffer);
}
template <typename T> HWY_INLINE void storePart(F32 d, VF32 value, T *to, size_t count) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)];
  store(d, value, buffer);
  std::memcpy(to, buffer, count * sizeof(T));
}

/// What the value becomes when stored as T and read again.
template <typename T> HWY_INLINE VF32 roundAs(F32 d, VF32 value);
template <> HWY_INLINE VF32 roundAs<float>(F32, VF32 value) { return value; }
template <> HWY_INLINE VF32 roundAs<Bf16>(F32 d, VF32 value) {
  const hn::Rebind<uint32_t, F32> du32;
  return hn::BitCast(d, hn::And(bf16Bits(d, value), hn::Set(du32, 0xffff0000u)));
}
template <> HWY_INLINE VF32 roundAs<F16>(F32 d, VF32 value) {
  HWY_ALIGN F16 buffer[HWY_MAX_BYTES / sizeof(float)];
  store(d, value, buffer);
  return load(d, buffer);
}

/// Calls body(i, loader, storer) for each vector of [begin, end): the two know whether the vector is whole.
struct WholeVector {
  template <typename T> HWY_INLINE VF32 operator()(F32 d, const T *from) const { return load(d, from); }
  template <typename T> HWY_INLINE void operator()(F32 d, VF32 value, T *to) const { store(d, value, to); }
};
struct PartVector {
  size_t count;
  template <typename T> HWY_INLINE VF32 operator()(F32 d, const T *from) const { return loadPart(d, from, count); }
  template <typename T> HWY_INLINE void operator()(F32 d, VF32 value, T *to) const { storePart(d, value, to, count); }
};
template <typename Body> HWY_INLINE void forVectors(int64_t begin, int64_t end, const Body &body) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(F32()));
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes)
    body(i, WholeVector());
  if (i < end)
    body(i, PartVector{static_cast<size_t>(end - i)});
}

/// Sum of all lanes, by halves in a fixed order.
HWY_INLINE float sumLanes(F32 d, VF32 value) { return hn::GetLane(hn::SumOfLanes(d, value)); }

namespace detail {
/// exp(r)·2^q of the reduced argument, without the power: |r| <= ln2/2, error below 1 ulp.
HWY_INLINE VF32 expPolynomial(F32 d, VF32 r) {
  VF32 p = hn::Set(d, 1.9875691500e-4f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  return hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
}
HWY_INLINE VF32 expReduced(F32 d, VF32 x, VF32 q) {
  const VF32 r = hn::NegMulAdd(q, hn::Set(d, 0.693359375f), x);
  return hn::NegMulAdd(q, hn::Set(d, -2.12194440e-4f), r);
}
template <typename VI32> HWY_INLINE VF32 power2(F32 d, VI32 exponent) {
  const hn::Rebind<int32_t, F32> di32;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(exponent, hn::Set(di32, 127))));
}
} // namespace detail

/// 2^x for x of at most a few: results below 2⁻¹²⁶ become 0. NaN stays NaN. Error below 2 ulp.
HWY_INLINE VF32 exp2Negative(F32 d, VF32 x) {
  const hn::Rebind<int32_t, F32> di32;
  // With so large a number added x is an integer, rounded to nearest even, and lies in the low bits: no conversion is asked for, which
  // would have to mind what an integer can't hold.
  const VF32 large = hn::Set(d, 0x1.8p23f), integer = hn::Add(x, large), q = hn::Sub(integer, large);
  const VF32 r = hn::Sub(x, q);
  VF32 p = hn::Set(d, 1.535336188319500e-4f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.339887440266574e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 9.618437357674640e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.550332471162809e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 2.402264791363012e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 6.931472028550421e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  // The power goes straight into the exponent's bits: p is in [0.7, 1.5), so nothing carries where x >= -126.
  const auto scaled = hn::Add(hn::BitCast(di32, p), hn::ShiftLeft<23>(hn::BitCast(di32, integer)));
  const VF32 power = hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -125.5f)), hn::BitCast(d, scaled));
  return hn::IfThenElse(hn::IsNaN(x), x, power); // whose exponent's bits are anything by now
}

/// exp for x <= 0 (softmax): results below 2⁻¹²⁶ become 0. NaN stays NaN.
HWY_INLINE VF32 expNegative(F32 d, VF32 x) {
  const hn::Rebind<int32_t, F32> di32;
  const VF32 q = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504088896341f)));
  const VF32 y = detail::expPolynomial(d, detail::expReduced(d, x, q));
  const VF32 scaled = hn::Mul(y, detail::power2(d, hn::ConvertTo(di32, q)));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.3f)), scaled);
}

/// exp over all of f32: infinity above, 0 far below, NaN stays NaN.
HWY_INLINE VF32 exp(F32 d, VF32 x) {
  const hn::Rebind<int32_t, F32> di32;
  const VF32 top = hn::Set(d, 120.0f);
  x = hn::IfThenElse(hn::Gt(x, top), top, x);
  const VF32 q = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504088896341f)));
  const VF32 y = detail::expPolynomial(d, detail::expReduced(d, x, q));
  const auto exponent = hn::ConvertTo(di32, q);
  const auto half = hn::ShiftRight<1>(exponent);
  const VF32 scaled = hn::Mul(hn::Mul(y, detail::power2(d, half)), detail::power2(d, hn::Sub(exponent, half)));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -104.0f)), scaled);
}

HWY_INLINE VF32 sigmoid(F32 d, VF32 x) {
  const VF32 one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exp(d, hn::Neg(x))));
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
