#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/rope/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void rotate(const KernelContext &context, const RopeArgs &args) {
  const int64_t tokens = args.source.dims[0], width = args.source.dims[1], half = args.headDim / 2;
  parallelFor(context, tokens, HWY_MAX(1, kElementwiseGrain / width), [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    const VF32 sign = hn::Set(d, args.inverse ? -1.0f : 1.0f);
    for (int64_t t = begin; t < end; ++t) {
      const T *cosines = args.cosine.as<T>() + t * half, *sines = args.sine.as<T>() + t * half;
      for (int64_t at = t * width; at < (t + 1) * width; at += args.headDim) {
        const T *x1 = args.source.as<T>() + at, *x2 = x1 + half;
        T *out1 = args.target.as<T>() + at, *out2 = out1 + half;
        forVectors(0, half, [&](int64_t i, auto vector) HWY_ATTR {
          const VF32 a = vector(d, x1 + i), b = vector(d, x2 + i), c = vector(d, cosines + i);
          const VF32 s = hn::Mul(sign, vector(d, sines + i));
          vector(d, hn::Sub(roundAs<T>(d, hn::Mul(a, c)), roundAs<T>(d, hn::Mul(b, s))), out1 + i);
          vector(d, hn::Add(roundAs<T>(d, hn::Mul(b, c)), roundAs<T>(d, hn::Mul(a, s))), out2 + i);
        });
      }
    }
  });
}

void ropeCpu(const KernelContext &context, const RopeArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) { rotate<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(ropeCpu);
namespace cpu {
void run(const KernelContext &context, const RopeArgs &args) { HWY_DYNAMIC_DISPATCH(ropeCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
