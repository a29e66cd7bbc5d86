#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/layer_norm_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// grad_weight += Σ rows grad_out·n, grad_bias += Σ rows grad_out. Threads own columns: rows are added in one order.
template <typename T> static void parameterGradients(const KernelContext &context, const LayerNormGradientArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  const T *gradOut = args.gradOut.as<T>(), *source = args.source.as<T>();
  const float *mean = args.mean.as<float>(), *rstd = args.rstd.as<float>();
  float *gradWeight = args.gradWeight ? args.gradWeight.as<float>() : nullptr, *gradBias = args.gradBias ? args.gradBias.as<float>() : nullptr;
  constexpr int64_t kRows = 64;
  parallelFor(context, width, 64, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      VF32 weight = hn::Zero(d), bias = hn::Zero(d);
      for (int64_t row = 0; row < rows; row += kRows) {
        VF32 partWeight = hn::Zero(d), partBias = hn::Zero(d);
        for (int64_t r = row; r < HWY_MIN(row + kRows, rows); ++r) {
          const VF32 gradient = vector(d, gradOut + r * width + i);
          const VF32 normalised = hn::Mul(hn::Sub(vector(d, source + r * width + i), hn::Set(d, mean[r])), hn::Set(d, rstd[r]));
          partWeight = hn::MulAdd(gradient, normalised, partWeight);
          partBias = hn::Add(gradient, partBias);
        }
        weight = hn::Add(weight, partWeight);
        bias = hn::Add(bias, partBias);
      }
      if (gradWeight)
        vector(d, hn::Add(vector(d, gradWeight + i), weight), gradWeight + i);
      if (gradBias)
        vector(d, hn::Add(vector(d, gradBias + i), bias), gradBias + i);
    });
  });
}

template <typename T> static void sourceGradient(const KernelContext &context, const LayerNormGradientArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  const T *weight = args.weight.as<T>();
  parallelFor(context, rows, HWY_MAX(1, kElementwiseGrain / width), [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    for (int64_t row = begin; row < end; ++row) {
      const T *gradOut = args.gradOut.as<T>() + row * width, *source = args.source.as<T>() + row * width;
      const T *residual = args.residualGradient ? args.residualGradient.as<T>() + row * width : nullptr;
      T *gradSource = args.gradSource.as<T>() + row * width;
      const VF32 mean = hn::Set(d, args.mean.as<float>()[row]), rstd = hn::Set(d, args.rstd.as<float>()[row]);
      // Sums of h = grad_out·weight and of h·n; lanes past the end have no h.
      VF32 sums = hn::Zero(d), along = hn::Zero(d);
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        const VF32 h = hn::Mul(vector(d, gradOut + i), vector(d, weight + i));
        sums = hn::Add(h, sums);
        along = hn::MulAdd(h, hn::Mul(hn::Sub(vector(d, source + i), mean), rstd), along);
      });
      const auto count = static_cast<float>(width);
      const VF32 meanOfH = hn::Set(d, sumLanes(d, sums) / count), meanAlong = hn::Set(d, sumLanes(d, along) / count);
      forVectors(0, width, [&](int64_t i, auto vector) HWY_ATTR {
        const VF32 h = hn::Mul(vector(d, gradOut + i), vector(d, weight + i));
        const VF32 normalised = hn::Mul(hn::Sub(vector(d, source + i), mean), rstd);
        VF32 gradient = hn::Mul(rstd, hn::NegMulAdd(normalised, meanAlong, hn::Sub(h, meanOfH)));
        if (residual)
          gradient = hn::Add(gradient, vector(d, residual + i));
        vector(d, gradient, gradSource + i);
      });
    }
  });
}

void layerNormGradientCpu(const KernelContext &context, const LayerNormGradientArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) {
    if (args.gradWeight || args.gradBias) // first: grad_source may be grad_out's memory
      parameterGradients<decltype(element)>(context, args);
    sourceGradient<decltype(element)>(context, args);
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(layerNormGradientCpu);
namespace cpu {
void run(const KernelContext &context, const LayerNormGradientArgs &args) { HWY_DYNAMIC_DISPATCH(layerNormGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
