#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/silu_mul_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void siluMulGradient(const KernelContext &context, const SiluMulGradientArgs &args) {
  const T *gradOuts = args.gradOut.as<T>(), *gates = args.gate.as<T>(), *ups = args.up.as<T>();
  T *gradGates = args.gradGate.as<T>(), *gradUps = args.gradUp.as<T>();
  parallelFor(context, args.gate.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    const VF32 one = hn::Set(d, 1.0f);
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      const VF32 gradOut = vector(d, gradOuts + i), gate = vector(d, gates + i), up = vector(d, ups + i);
      const VF32 s = sigmoid(d, gate);
      const VF32 slope = hn::Mul(s, hn::MulAdd(gate, hn::Sub(one, s), one));
      vector(d, hn::Mul(hn::Mul(gradOut, up), slope), gradGates + i);
      vector(d, hn::Mul(gradOut, roundAs<T>(d, hn::Mul(gate, s))), gradUps + i);
    });
  });
}

void siluMulGradientCpu(const KernelContext &context, const SiluMulGradientArgs &args) {
  forComputeType(args.gate.dtype, [&](auto element) { siluMulGradient<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(siluMulGradientCpu);
namespace cpu {
void run(const KernelContext &context, const SiluMulGradientArgs &args) { HWY_DYNAMIC_DISPATCH(siluMulGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
