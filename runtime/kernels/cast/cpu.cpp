#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/cast/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename From, typename To> static void castElements(const KernelContext &context, const From *source, To *target, int64_t count) {
  parallelFor(context, count, kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR { vector(d, vector(d, source + i), target + i); });
  });
}

void castCpu(const KernelContext &context, const CastArgs &args) {
  const TensorView &source = args.source, &target = args.target;
  int64_t count = source.elements();
  if (source.dtype == target.dtype)
    return parallelFor(context, count, kElementwiseGrain, [&](int64_t begin, int64_t end) {
      auto size = static_cast<int64_t>(bitsOf(source.dtype) / 8);
      std::memcpy(target.as<char>() + begin * size, source.as<char>() + begin * size, (end - begin) * size);
    });
  if (target.dtype == DType::F32)
    return forComputeType(source.dtype, [&](auto from) { castElements(context, source.as<decltype(from)>(), target.as<float>(), count); });
  if (source.dtype == DType::F32)
    return forComputeType(target.dtype, [&](auto to) { castElements(context, source.as<float>(), target.as<decltype(to)>(), count); });
  // No step converts between the two of 16 bits: an element at a time will do.
  parallelFor(context, count, kElementwiseGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      storeElement(target, i, loadElement(source, i));
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(castCpu);
namespace cpu {
void run(const KernelContext &context, const CastArgs &args) { HWY_DYNAMIC_DISPATCH(castCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
