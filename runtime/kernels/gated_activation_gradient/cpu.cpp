#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/gated_activation_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <Activation kind, typename T> static void gatedActivationGradient(const KernelContext &context, const GatedActivationGradientArgs &args) {
  const T *gradOuts = args.gradOut.as<T>(), *gates = args.gate.as<T>(), *ups = args.up.as<T>();
  T *gradGates = args.gradGate.as<T>(), *gradUps = args.gradUp.as<T>();
  parallelFor(context, args.gate.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      const VF32 gradOut = vector(d, gradOuts + i), gate = vector(d, gates + i), up = vector(d, ups + i);
      vector(d, hn::Mul(hn::Mul(gradOut, up), slopeAt<kind>(d, gate)), gradGates + i);
      vector(d, hn::Mul(gradOut, roundAs<T>(d, activated<kind>(d, gate))), gradUps + i);
    });
  });
}

void gatedActivationGradientCpu(const KernelContext &context, const GatedActivationGradientArgs &args) {
  withActivation(args.kind, [&](auto kind) {
    forComputeType(args.gate.dtype, [&](auto element) { gatedActivationGradient<kind.value, decltype(element)>(context, args); });
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(gatedActivationGradientCpu);
namespace cpu {
void run(const KernelContext &context, const GatedActivationGradientArgs &args) { HWY_DYNAMIC_DISPATCH(gatedActivationGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
