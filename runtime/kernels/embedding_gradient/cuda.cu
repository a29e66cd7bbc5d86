#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A thread has a column and takes the tokens in their order: a row's sum is the same, run after run.
template <typename T>
__global__ void embeddingGradient(const int32_t *ids, const T *gradOut, float *gradTable, int64_t tokens, int64_t vocabulary, int64_t width,
                                  int64_t offset) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= width)
    return;
  for (int64_t token = 0; token < tokens; ++token) {
    const int64_t id = ids[token], row = id + offset;
    if (id >= 0 && row < vocabulary)
      gradTable[row * width + column] += toFloat(gradOut[token * width + column]);
  }
}

constexpr int kThreads = 32; // a warp a block, so that few columns go to many multiprocessors

} // namespace

Status run(const Context &context, const EmbeddingGradientArgs &args) {
  const int64_t width = args.gradTable.dims[1];
  withElement(args.gradOut.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context.stream, (width + kThreads - 1) / kThreads, kThreads, embeddingGradient<T>, args.ids.as<int32_t>(), args.gradOut.as<T>(),
           args.gradTable.as<float>(), args.ids.dims[0], args.gradTable.dims[0], width, args.offset);
  });
  return {};
}

} // namespace zp::rt::cuda
