#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/scale/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void scaleElements(const KernelContext &context, const ScaleArgs &args) {
  const T *source = args.source.as<T>();
  T *target = args.target.as<T>();
  parallelFor(context, args.source.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    const VF32 factor = hn::Set(d, static_cast<float>(args.factor));
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR { vector(d, hn::Mul(factor, vector(d, source + i)), target + i); });
  });
}

void scaleCpu(const KernelContext &context, const ScaleArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) { scaleElements<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(scaleCpu);
namespace cpu {
void run(const KernelContext &context, const ScaleArgs &args) { HWY_DYNAMIC_DISPATCH(scaleCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
