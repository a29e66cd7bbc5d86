#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

#include <cmath>

#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/rms_norm/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void normalise(const KernelContext &context, const RmsNormArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  const T *weight = args.weight.as<T>();
  float *rstdOut = args.rstd.as<float>();
  parallelFor(context, rows, HWY_MAX(1, kElementwiseGrain / width), [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    for (int64_t row = begin; row < end; ++row) {
      const T *source = args.source.as<T>() + row * width;
      T *target = args.target.as<T>() + row * width;
      VF32 squares = hn::Zero(d);
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        const VF32 x = vector(d, source + i);
        squares = hn::MulAdd(x, x, squares);
      });
      const float mean = sumLanes(d, squares) / static_cast<float>(width);
      rstdOut[row] = static_cast<float>(1 / std::sqrt(static_cast<double>(mean) + args.epsilon));
      const VF32 rstd = hn::Set(d, rstdOut[row]);
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        const VF32 normalised = roundAs<T>(d, hn::Mul(vector(d, source + i), rstd));
        vector(d, hn::Mul(vector(d, weight + i), normalised), target + i);
      });
    }
  });
}

void rmsNormCpu(const KernelContext &context, const RmsNormArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) { normalise<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(rmsNormCpu);
namespace cpu {
void run(const KernelContext &context, const RmsNormArgs &args) { HWY_DYNAMIC_DISPATCH(rmsNormCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
