#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/nf4_dequantize/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/quant/decode-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

template <typename T> void dequantize(const KernelContext &context, const QuantMatrix &weight, const TensorView &target) {
  parallelFor(context, target.elements(), kElementwiseGrain,
              [&](int64_t begin, int64_t end) HWY_ATTR { decodeRun(weight, begin, end - begin, target.as<T>() + begin); });
}

} // namespace

void dequantizeCpu(const KernelContext &context, const NF4DequantizeArgs &args) {
  const QuantMatrix weight = quantMatrixOf(args, args.target.dims[0], args.target.dims[1]);
  forComputeType(args.target.dtype, [&](auto element) { dequantize<decltype(element)>(context, weight, args.target); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(dequantizeCpu);
namespace cpu {
void run(const KernelContext &context, const NF4DequantizeArgs &args) { HWY_DYNAMIC_DISPATCH(dequantizeCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
