#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A block a row. The mean first, then the squares of what differs from it: nothing cancels.
template <typename T>
__global__ void layerNorm(const T *source, const T *weight, const T *bias, T *target, float *means, float *rstds, int64_t width, float epsilon) {
  const T *row = source + blockIdx.x * width;
  const auto columns = static_cast<float>(width);
  float x[kPack], w[kPack], b[kPack], sum = 0, squares = 0;
  packsOfRow(width, [&](int64_t i, int count) {
    load(row + i, count, x);
    for (float value : x)
      sum += value;
  });
  const float mean = reduceBlock(sum, Sum()) / columns;
  packsOfRow(width, [&](int64_t i, int count) {
    load(row + i, count, x);
    for (int e = 0; e < count; ++e)
      squares += (x[e] - mean) * (x[e] - mean);
  });
  const float rstd = 1 / sqrtf(reduceBlock(squares, Sum()) / columns + epsilon);
  if (threadIdx.x == 0) {
    means[blockIdx.x] = mean;
    rstds[blockIdx.x] = rstd;
  }
  packsOfRow(width, [&](int64_t i, int count) {
    load(row + i, count, x);
    load(weight + i, count, w);
    load(bias + i, count, b);
    for (int e = 0; e < kPack; ++e)
      x[e] = w[e] * ((x[e] - mean) * rstd) + b[e];
    store(target + blockIdx.x * width + i, count, x);
  });
}

} // namespace

Status run(const Context &context, const LayerNormArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context.stream, args.source.dims[0], kBlockThreads, layerNorm<T>, args.source.as<T>(), args.weight.as<T>(), args.bias.as<T>(),
           args.target.as<T>(), args.mean.as<float>(), args.rstd.as<float>(), args.source.dims[1], static_cast<float>(args.epsilon));
  });
  return {};
}

} // namespace zp::rt::cuda
