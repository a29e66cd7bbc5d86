#include <cmath>

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"
#include "runtime/schema/half_clamp.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/clamp_half/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

void clampHalfCpu(const KernelContext &context, const ClampHalfArgs &args) {
  const F16 *source = args.source.as<F16>();
  F16 *target = args.target.as<F16>();
  parallelFor(context, args.source.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    const VF32 infinity = hn::Set(d, INFINITY), clamp = hn::Set(d, kHalfClamp);
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      const VF32 x = vector(d, source + i);
      vector(d, hn::IfThenElse(hn::Eq(hn::Abs(x), infinity), hn::CopySign(clamp, x), x), target + i);
    });
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(clampHalfCpu);
namespace cpu {
void run(const KernelContext &context, const ClampHalfArgs &args) { HWY_DYNAMIC_DISPATCH(clampHalfCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
