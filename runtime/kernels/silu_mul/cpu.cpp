#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/silu_mul/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void siluMul(const KernelContext &context, const SiluMulArgs &args) {
  const T *gates = args.gate.as<T>(), *ups = args.up.as<T>();
  T *target = args.target.as<T>();
  parallelFor(context, args.gate.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      const VF32 gate = vector(d, gates + i);
      const VF32 silu = roundAs<T>(d, hn::Mul(gate, sigmoid(d, gate)));
      vector(d, hn::Mul(silu, vector(d, ups + i)), target + i);
    });
  });
}

void siluMulCpu(const KernelContext &context, const SiluMulArgs &args) {
  forComputeType(args.gate.dtype, [&](auto element) { siluMul<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(siluMulCpu);
namespace cpu {
void run(const KernelContext &context, const SiluMulArgs &args) { HWY_DYNAMIC_DISPATCH(siluMulCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
