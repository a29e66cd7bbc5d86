#include "runtime/kernels/cuda/column_sums.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A block a row. The source's gradient may lie where grad_out or the residual's gradient does: a pack is read before it is written.
template <typename T>
__global__ void layerNormGradient(const T *gradOut, const T *source, const T *weight, const float *means, const float *rstds, const T *residual,
                                  T *gradSource, int64_t width) {
  const int64_t begin = blockIdx.x * width;
  const float mean = means[blockIdx.x], rstd = rstds[blockIdx.x];
  float g[kPack], x[kPack], w[kPack], r[kPack] = {}, sum = 0, along = 0; // of h = gradOut·weight, and of h·n
  packsOfRow(width, [&](int64_t i, int count) {
    load(gradOut + begin + i, count, g);
    load(source + begin + i, count, x);
    load(weight + i, count, w);
    for (int e = 0; e < kPack; ++e) {
      sum += g[e] * w[e];
      along += g[e] * w[e] * (x[e] - mean) * rstd;
    }
  });
  sum = reduceBlock(sum, Sum()) / static_cast<float>(width);
  along = reduceBlock(along, Sum()) / static_cast<float>(width);
  packsOfRow(width, [&](int64_t i, int count) {
    load(gradOut + begin + i, count, g);
    load(source + begin + i, count, x);
    load(weight + i, count, w);
    if (residual)
      load(residual + begin + i, count, r);
    for (int e = 0; e < kPack; ++e)
      g[e] = rstd * (g[e] * w[e] - sum - (x[e] - mean) * rstd * along) + r[e];
    store(gradSource + begin + i, count, g);
  });
}

template <typename T> struct LayerWeightGradient {
  const T *gradOut, *source;
  const float *means, *rstds;
  int64_t width;
  ZP_DEVICE float operator()(int64_t row, int64_t column) const {
    const int64_t i = row * width + column;
    return toFloat(gradOut[i]) * (toFloat(source[i]) - means[row]) * rstds[row];
  }
};
template <typename T> struct BiasGradient {
  const T *gradOut;
  int64_t width;
  ZP_DEVICE float operator()(int64_t row, int64_t column) const { return toFloat(gradOut[row * width + column]); }
};

} // namespace

Status run(const Context &context, const LayerNormGradientArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    // First the parameters': the source's may take grad_out's place.
    if (args.gradWeight)
      addColumnSums(context, rows, width,
                    LayerWeightGradient<T>{args.gradOut.as<T>(), args.source.as<T>(), args.mean.as<float>(), args.rstd.as<float>(), width},
                    args.gradWeight.as<float>());
    if (args.gradBias)
      addColumnSums(context, rows, width, BiasGradient<T>{args.gradOut.as<T>(), width}, args.gradBias.as<float>());
    launch(context.stream, rows, kBlockThreads, layerNormGradient<T>, args.gradOut.as<T>(), args.source.as<T>(), args.weight.as<T>(),
           args.mean.as<float>(), args.rstd.as<float>(), args.residualGradient.as<T>(), args.gradSource.as<T>(), width);
  });
  return {};
}

} // namespace zp::rt::cuda
