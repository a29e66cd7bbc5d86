#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/accumulate/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void accumulateElements(const KernelContext &context, const AccumulateArgs &args) {
  const T *source = args.source.as<T>();
  float *target = args.target.as<float>();
  parallelFor(context, args.source.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    const VF32 scale = hn::Set(d, static_cast<float>(args.scale));
    forVectors(begin, end,
               [&](int64_t i, auto vector) HWY_ATTR { vector(d, hn::MulAdd(scale, vector(d, source + i), vector(d, target + i)), target + i); });
  });
}

void accumulateCpu(const KernelContext &context, const AccumulateArgs &args) {
  const TensorView &source = args.source, &target = args.target;
  if (target.dtype == DType::F32 && source.dtype != DType::F64)
    return forComputeType(source.dtype, [&](auto element) { accumulateElements<decltype(element)>(context, args); });
  // f64 is for a few sums (losses, norms).
  parallelFor(context, source.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      storeElement(target, i, loadElement(target, i) + args.scale * loadElement(source, i));
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(accumulateCpu);
namespace cpu {
void run(const KernelContext &context, const AccumulateArgs &args) { HWY_DYNAMIC_DISPATCH(accumulateCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
