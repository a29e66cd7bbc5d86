#include "runtime/kernels/cuda/column_sums.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A block a row, which its threads keep from one pass to the next (elementwise.h, heldPacks). The source's gradient may lie where grad_out or
/// the residual's gradient does: a pack is read before it is written.
template <typename T, int kHeld>
__global__ void rmsNormGradient(const T *gradOut, const T *source, const T *weight, const float *rstds, const T *residual, T *gradSource,
                                int64_t width) {
  const int64_t begin = blockIdx.x * width;
  const float rstd = rstds[blockIdx.x];
  Pack<T> grads[kHeld ? kHeld : 1]{}, sources[kHeld ? kHeld : 1]{}, weights[kHeld ? kHeld : 1]{};
  float g[kPack], x[kPack], w[kPack], r[kPack] = {}, products = 0;
  auto read = [&](int place, int64_t i, auto count) {
    grads[place] = packOf(gradOut + begin + i, count);
    sources[place] = packOf(source + begin + i, count);
    weights[place] = packOf(weight + i, count);
  };
  auto unpackAll = [&](int place) {
    unpack(grads[place], g);
    unpack(sources[place], x);
    unpack(weights[place], w);
  };
  auto addProducts = [&](int place) {
    unpackAll(place);
    for (int e = 0; e < kPack; ++e)
      products += g[e] * w[e] * x[e];
  };
  heldPacks<kHeld>(width, [&](int place, int64_t i, auto count) {
    read(place, i, count);
    if (kHeld == 0)
      addProducts(place);
  });
  for (int place = 0; place < kHeld; ++place) // of all that was asked for before; what isn't there is zero
    addProducts(place);
  const float mean = reduceBlock(products, Sum()) * rstd / static_cast<float>(width);
  heldPacks<kHeld>(width, [&](int place, int64_t i, auto count) {
    if (kHeld == 0)
      read(place, i, count);
    unpackAll(place);
    if (residual)
      load(residual + begin + i, count, r);
    for (int e = 0; e < kPack; ++e)
      g[e] = rstd * (g[e] * w[e] - x[e] * rstd * mean) + r[e];
    store(gradSource + begin + i, count, g);
  });
}

template <typename T> struct RmsWeightGradient {
  const T *gradOut, *source;
  const float *rstds;
  int64_t width;
  ZP_DEVICE float operator()(int64_t row, int64_t column) const {
    const int64_t i = row * width + column;
    return toFloat(gradOut[i]) * rounded<T>(toFloat(source[i]) * rstds[row]);
  }
};

} // namespace

Status run(const Context &context, const RmsNormGradientArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    if (args.gradWeight) // first: the other may take grad_out's place
      addColumnSums(context, rows, width, RmsWeightGradient<T>{args.gradOut.as<T>(), args.source.as<T>(), args.rstd.as<float>(), width},
                    args.gradWeight.as<float>());
    const T *gradOut = args.gradOut.as<T>(), *source = args.source.as<T>(), *weight = args.weight.as<T>();
    const T *residual = args.residualGradient.as<T>();
    T *gradSource = args.gradSource.as<T>();
    withHeld(
        width,
        [&](auto held) {
          launch(context.stream, rows, kBlockThreads, rmsNormGradient<T, held()>, gradOut, source, weight, args.rstd.as<float>(), residual,
                 gradSource, width);
        },
        gradOut, source, weight, residual, gradSource);
  });
  return {};
}

} // namespace zp::rt::cuda
