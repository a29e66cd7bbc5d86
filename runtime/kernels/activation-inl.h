// The activations of runtime/schema/activations.h and their slopes on f32 vectors, compiled once per target.
#if defined(ZP_RUNTIME_KERNELS_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_ACTIVATION_INL_H
#undef ZP_RUNTIME_KERNELS_ACTIVATION_INL_H
#else
#define ZP_RUNTIME_KERNELS_ACTIVATION_INL_H
#endif

#include <type_traits>

#include "runtime/kernels/simd-inl.h"
#include "runtime/schema/activations.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// The normal distribution at x: Φ(x), and exp(-x²/2), which its slope needs too.
struct Normal {
  VF32 cumulative, bell;
};

/// Φ(x) to a few ulp over all of f32, negative x too, where (1 + erf)/2 would cancel: Φ(-y) = exp(-y²/2)·Q(y) for y >= 0, with Q a
/// polynomial in w = 1/(1 + 0.3·y) (a minimax fit of the scaled complement, relative error 4e-9). NaN stays NaN.
HWY_INLINE Normal normal(F32 d, VF32 x) {
  const VF32 far = hn::Set(d, 20.0f), one = hn::Set(d, 1.0f);
  VF32 y = hn::Abs(x);
  y = hn::IfThenElse(hn::Gt(y, far), far, y);
  const VF32 w = hn::Div(one, hn::MulAdd(y, hn::Set(d, 0.3f), one));
  VF32 q = hn::Set(d, -0.02061294950544834f);
  q = hn::MulAdd(q, w, hn::Set(d, 0.11237641423940659f));
  q = hn::MulAdd(q, w, hn::Set(d, -0.2280689924955368f));
  q = hn::MulAdd(q, w, hn::Set(d, 0.19158364832401276f));
  q = hn::MulAdd(q, w, hn::Set(d, -0.07924898713827133f));
  q = hn::MulAdd(q, w, hn::Set(d, 0.09605871140956879f));
  q = hn::MulAdd(q, w, hn::Set(d, 0.07842527329921722f));
  q = hn::MulAdd(q, w, hn::Set(d, 0.11022739112377167f));
  q = hn::MulAdd(q, w, hn::Set(d, 0.11957284063100815f));
  q = hn::MulAdd(q, w, hn::Set(d, 0.11968664079904556f));
  // y² in two parts: its rounding error, of the size of y²·2⁻²⁴, would be the exponential's relative error.
  const VF32 minusHalf = hn::Set(d, -0.5f), square = hn::Mul(y, y), rest = hn::MulSub(y, y, square);
  const VF32 coarse = expNegative(d, hn::Mul(square, minusHalf));
  const VF32 bell = hn::MulAdd(hn::Mul(rest, minusHalf), coarse, coarse);
  const VF32 tail = hn::Mul(hn::Mul(q, w), bell);
  return {hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail)), bell};
}

/// σ(2·√(2/π)·(x + 0.044715·x³)): gelu_tanh is x times it, since (1 + tanh u)/2 = σ(2u).
HWY_INLINE VF32 tanhGate(F32 d, VF32 x) {
  const VF32 cubic = hn::MulAdd(hn::Mul(x, x), hn::Set(d, 0.044715f), hn::Set(d, 1.0f));
  return sigmoid(d, hn::Mul(hn::Mul(x, hn::Set(d, 1.5957691216057308f)), cubic));
}

template <Activation kind> HWY_INLINE VF32 activated(F32 d, VF32 x) {
  if constexpr (kind == Activation::Relu)
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x); // NaN stays
  else if constexpr (kind == Activation::Gelu)
    return hn::Mul(x, normal(d, x).cumulative);
  else
    return hn::Mul(x, tanhGate(d, x));
}

template <Activation kind> HWY_INLINE VF32 slopeAt(F32 d, VF32 x) {
  const VF32 one = hn::Set(d, 1.0f);
  if constexpr (kind == Activation::Relu) {
    return hn::IfThenZeroElse(hn::Le(x, hn::Zero(d)), one);
  } else if constexpr (kind == Activation::Gelu) {
    const Normal n = normal(d, x);
    return hn::MulAdd(hn::Mul(x, hn::Set(d, 0.3989422804014327f)), n.bell, n.cumulative);
  } else {
    const VF32 s = tanhGate(d, x);
    // of the gate's argument
    const VF32 inner = hn::MulAdd(hn::Mul(x, x), hn::Set(d, 1.5957691216057308f * 3 * 0.044715f), hn::Set(d, 1.5957691216057308f));
    return hn::MulAdd(hn::Mul(hn::Mul(x, s), hn::Sub(one, s)), inner, s);
  }
}

/// Calls body with the kind as a constant; what no check lets pass does nothing.
template <typename Body> void withActivation(int64_t kind, const Body &body) {
  switch (static_cast<Activation>(kind)) {
  case Activation::Relu:
    return body(std::integral_constant<Activation, Activation::Relu>());
  case Activation::Gelu:
    return body(std::integral_constant<Activation, Activation::Gelu>());
  case Activation::GeluTanh:
    return body(std::integral_constant<Activation, Activation::GeluTanh>());
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
