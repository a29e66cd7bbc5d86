#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/activation_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <Activation kind, typename T> static void activationGradient(const KernelContext &context, const ActivationGradientArgs &args) {
  const T *gradOut = args.gradOut.as<T>(), *source = args.source.as<T>();
  T *gradSource = args.gradSource.as<T>();
  parallelFor(context, args.source.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      vector(d, hn::Mul(vector(d, gradOut + i), slopeAt<kind>(d, vector(d, source + i))), gradSource + i);
    });
  });
}

void activationGradientCpu(const KernelContext &context, const ActivationGradientArgs &args) {
  withActivation(args.kind, [&](auto kind) {
    forComputeType(args.source.dtype, [&](auto element) { activationGradient<kind.value, decltype(element)>(context, args); });
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(activationGradientCpu);
namespace cpu {
void run(const KernelContext &context, const ActivationGradientArgs &args) { HWY_DYNAMIC_DISPATCH(activationGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
