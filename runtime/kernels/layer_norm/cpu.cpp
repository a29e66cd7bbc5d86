#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

#include <cmath>

#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/layer_norm/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void normalise(const KernelContext &context, const LayerNormArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  const T *weight = args.weight.as<T>(), *bias = args.bias.as<T>();
  float *meanOut = args.mean.as<float>(), *rstdOut = args.rstd.as<float>();
  parallelFor(context, rows, HWY_MAX(1, kElementwiseGrain / width), [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    for (int64_t row = begin; row < end; ++row) {
      const T *source = args.source.as<T>() + row * width;
      T *target = args.target.as<T>() + row * width;
      VF32 sums = hn::Zero(d);
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR { sums = hn::Add(vector(d, source + i), sums); });
      meanOut[row] = sumLanes(d, sums) / static_cast<float>(width);
      const VF32 mean = hn::Set(d, meanOut[row]);
      VF32 squares = hn::Zero(d);
      const auto lanes = static_cast<int64_t>(hn::Lanes(d));
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        // Lanes past the end hold 0, not the mean.
        const VF32 difference =
            hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(HWY_MIN(lanes, width - i))), hn::Sub(vector(d, source + i), mean));
        squares = hn::MulAdd(difference, difference, squares);
      });
      const float variance = sumLanes(d, squares) / static_cast<float>(width);
      rstdOut[row] = static_cast<float>(1 / std::sqrt(static_cast<double>(variance) + args.epsilon));
      const VF32 rstd = hn::Set(d, rstdOut[row]);
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        const VF32 normalised = hn::Mul(hn::Sub(vector(d, source + i), mean), rstd);
        vector(d, hn::MulAdd(vector(d, weight + i), normalised, vector(d, bias + i)), target + i);
      });
    }
  });
}

void layerNormCpu(const KernelContext &context, const LayerNormArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) { normalise<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(layerNormCpu);
namespace cpu {
void run(const KernelContext &context, const LayerNormArgs &args) { HWY_DYNAMIC_DISPATCH(layerNormCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
