#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A block a row.
template <typename T>
__global__ void rmsNorm(const T *source, const T *weight, T *target, float *rstds, int64_t width, float epsilon) {
  const T *row = source + blockIdx.x * width;
  float x[kPack], w[kPack], squares = 0;
  packsOfRow(width, [&](int64_t i, int count) {
    load(row + i, count, x);
    for (float value : x)
      squares += value * value;
  });
  const float rstd = 1 / sqrtf(reduceBlock(squares, Sum()) / static_cast<float>(width) + epsilon);
  if (threadIdx.x == 0)
    rstds[blockIdx.x] = rstd;
  packsOfRow(width, [&](int64_t i, int count) {
    load(row + i, count, x);
    load(weight + i, count, w);
    for (int e = 0; e < kPack; ++e)
      x[e] = w[e] * rounded<T>(x[e] * rstd);
    store(target + blockIdx.x * width + i, count, x);
  });
}

} // namespace

Status run(const Context &context, const RmsNormArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context.stream, args.source.dims[0], kBlockThreads, rmsNorm<T>, args.source.as<T>(), args.weight.as<T>(), args.target.as<T>(),
           args.rstd.as<float>(), args.source.dims[1], static_cast<float>(args.epsilon));
  });
  return {};
}

} // namespace zp::rt::cuda
