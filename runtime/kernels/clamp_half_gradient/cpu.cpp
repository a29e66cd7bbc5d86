#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"
#include "runtime/schema/half_clamp.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/clamp_half_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

void clampHalfGradientCpu(const KernelContext &context, const ClampHalfGradientArgs &args) {
  const F16 *gradOut = args.gradOut.as<F16>(), *clamped = args.clamped.as<F16>();
  F16 *gradSource = args.gradSource.as<F16>();
  parallelFor(context, args.gradOut.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    const VF32 clamp = hn::Set(d, kHalfClamp);
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      vector(d, hn::IfThenZeroElse(hn::Eq(hn::Abs(vector(d, clamped + i)), clamp), vector(d, gradOut + i)), gradSource + i);
    });
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(clampHalfGradientCpu);
namespace cpu {
void run(const KernelContext &context, const ClampHalfGradientArgs &args) { HWY_DYNAMIC_DISPATCH(clampHalfGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
