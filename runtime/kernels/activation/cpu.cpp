#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/activation/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <Activation kind, typename T> static void activate(const KernelContext &context, const ActivationArgs &args) {
  const T *source = args.source.as<T>();
  T *target = args.target.as<T>();
  parallelFor(context, args.source.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR { vector(d, activated<kind>(d, vector(d, source + i)), target + i); });
  });
}

void activationCpu(const KernelContext &context, const ActivationArgs &args) {
  withActivation(args.kind, [&](auto kind) {
    forComputeType(args.source.dtype, [&](auto element) { activate<kind.value, decltype(element)>(context, args); });
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(activationCpu);
namespace cpu {
void run(const KernelContext &context, const ActivationArgs &args) { HWY_DYNAMIC_DISPATCH(activationCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
