#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/rms_norm_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// grad_weight += Σ rows grad_out · round(source·rstd). Threads own columns: rows are added in one order.
template <typename T> static void weightGradient(const KernelContext &context, const RmsNormGradientArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  const T *gradOut = args.gradOut.as<T>(), *source = args.source.as<T>();
  const float *rstd = args.rstd.as<float>();
  float *gradWeight = args.gradWeight.as<float>();
  constexpr int64_t kRows = 64;
  parallelFor(context, width, 64, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      VF32 total = hn::Zero(d);
      for (int64_t row = 0; row < rows; row += kRows) {
        VF32 partial = hn::Zero(d);
        for (int64_t r = row; r < HWY_MIN(row + kRows, rows); ++r) {
          const VF32 normalised = roundAs<T>(d, hn::Mul(vector(d, source + r * width + i), hn::Set(d, rstd[r])));
          partial = hn::MulAdd(vector(d, gradOut + r * width + i), normalised, partial);
        }
        total = hn::Add(total, partial);
      }
      vector(d, hn::Add(vector(d, gradWeight + i), total), gradWeight + i);
    });
  });
}

template <typename T> static void sourceGradient(const KernelContext &context, const RmsNormGradientArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  const T *weight = args.weight.as<T>();
  parallelFor(context, rows, HWY_MAX(1, kElementwiseGrain / width), [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    for (int64_t row = begin; row < end; ++row) {
      const T *gradOut = args.gradOut.as<T>() + row * width, *source = args.source.as<T>() + row * width;
      const T *residual = args.residualGradient ? args.residualGradient.as<T>() + row * width : nullptr;
      T *gradSource = args.gradSource.as<T>() + row * width;
      const float scale = args.rstd.as<float>()[row];
      VF32 dot = hn::Zero(d);
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        dot = hn::MulAdd(hn::Mul(vector(d, gradOut + i), vector(d, weight + i)), vector(d, source + i), dot);
      });
      // grad = rstd·(g·w) - source·rstd³·mean(g·w·source)
      const VF32 rstd = hn::Set(d, scale);
      const VF32 back = hn::Set(d, scale * scale * scale * sumLanes(d, dot) / static_cast<float>(width));
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        const VF32 product = hn::Mul(vector(d, gradOut + i), vector(d, weight + i));
        VF32 gradient = hn::NegMulAdd(vector(d, source + i), back, hn::Mul(rstd, product));
        if (residual)
          gradient = hn::Add(gradient, vector(d, residual + i));
        vector(d, gradient, gradSource + i);
      });
    }
  });
}

void rmsNormGradientCpu(const KernelContext &context, const RmsNormGradientArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) {
    if (args.gradWeight) // first: grad_source may be grad_out's memory
      weightGradient<decltype(element)>(context, args);
    sourceGradient<decltype(element)>(context, args);
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(rmsNormGradientCpu);
namespace cpu {
void run(const KernelContext &context, const RmsNormGradientArgs &args) { HWY_DYNAMIC_DISPATCH(rmsNormGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
