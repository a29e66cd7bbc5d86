#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A block a row, which its threads keep from one pass to the next (elementwise.h, heldPacks).
template <typename T, int kHeld> __global__ void rmsNorm(const T *source, const T *weight, T *target, float *rstds, int64_t width, float epsilon) {
  const T *row = source + blockIdx.x * width;
  Pack<T> held[kHeld ? kHeld : 1]{};
  float x[kPack], w[kPack], squares = 0;
  auto addSquares = [&](int place) {
    unpack(held[place], x);
    for (float value : x)
      squares += value * value;
  };
  heldPacks<kHeld>(width, [&](int place, int64_t i, auto count) {
    held[place] = packOf(row + i, count);
    if (kHeld == 0)
      addSquares(place);
  });
  for (int place = 0; place < kHeld; ++place) // of all that was asked for before; what isn't there is zero
    addSquares(place);
  const float rstd = 1 / sqrtf(reduceBlock(squares, Sum()) / static_cast<float>(width) + epsilon);
  if (threadIdx.x == 0)
    rstds[blockIdx.x] = rstd;
  heldPacks<kHeld>(width, [&](int place, int64_t i, auto count) {
    if (kHeld == 0)
      held[place] = packOf(row + i, count);
    unpack(held[place], x);
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
    const T *source = args.source.as<T>(), *weight = args.weight.as<T>();
    T *target = args.target.as<T>();
    withHeld(
        args.source.dims[1],
        [&](auto held) {
          launch(context.stream, args.source.dims[0], kBlockThreads, rmsNorm<T, held()>, source, weight, target, args.rstd.as<float>(),
                 args.source.dims[1], static_cast<float>(args.epsilon));
        },
        source, weight, target);
  });
  return {};
}

} // namespace zp::rt::cuda
