#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/add/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void addElements(const KernelContext &context, const AddArgs &args) {
  const T *a = args.a.as<T>(), *b = args.b.as<T>();
  T *target = args.target.as<T>();
  parallelFor(context, args.a.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR { vector(d, hn::Add(vector(d, a + i), vector(d, b + i)), target + i); });
  });
}

void addCpu(const KernelContext &context, const AddArgs &args) {
  forComputeType(args.a.dtype, [&](auto element) { addElements<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(addCpu);
namespace cpu {
void run(const KernelContext &context, const AddArgs &args) { HWY_DYNAMIC_DISPATCH(addCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
