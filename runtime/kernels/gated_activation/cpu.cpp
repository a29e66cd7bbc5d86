#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/gated_activation/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <Activation kind, typename T> static void gatedActivation(const KernelContext &context, const GatedActivationArgs &args) {
  const T *gates = args.gate.as<T>(), *ups = args.up.as<T>();
  T *target = args.target.as<T>();
  parallelFor(context, args.gate.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      const VF32 active = roundAs<T>(d, activated<kind>(d, vector(d, gates + i)));
      vector(d, hn::Mul(active, vector(d, ups + i)), target + i);
    });
  });
}

void gatedActivationCpu(const KernelContext &context, const GatedActivationArgs &args) {
  withActivation(args.kind, [&](auto kind) {
    forComputeType(args.gate.dtype, [&](auto element) { gatedActivation<kind.value, decltype(element)>(context, args); });
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(gatedActivationCpu);
namespace cpu {
void run(const KernelContext &context, const GatedActivationArgs &args) { HWY_DYNAMIC_DISPATCH(gatedActivationCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
