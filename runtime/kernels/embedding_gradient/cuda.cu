#include <algorithm>

#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A thread has a column, and of the table's rows every `slices`-th; it takes these rows' tokens in their order: a row's sum is the same, run
/// after run. It is held in a register while tokens name one row.
template <typename T>
__global__ void embeddingGradient(const int32_t *__restrict__ ids, const T *__restrict__ gradOut, float *__restrict__ gradTable, int64_t tokens,
                                  int64_t vocabulary, int64_t width, int64_t offset, int64_t padding, uint32_t columnBlocks, uint32_t slices) {
  const int64_t column = static_cast<int64_t>(blockIdx.x % columnBlocks) * blockDim.x + threadIdx.x;
  const uint32_t slice = blockIdx.x / columnBlocks;
  if (column >= width)
    return;
  int64_t held = -1;
  float sum = 0;
  for (int64_t token = 0; token < tokens; ++token) {
    const int64_t id = ids[token], row = id + offset;
    if (id < 0 || row >= vocabulary || id == padding || static_cast<uint32_t>(row) % slices != slice)
      continue;
    if (row != held) {
      if (held >= 0)
        gradTable[held * width + column] = sum;
      held = row;
      sum = gradTable[row * width + column];
    }
    sum += toFloat(gradOut[token * width + column]);
  }
  if (held >= 0)
    gradTable[held * width + column] = sum;
}

constexpr int kThreads = 64;

} // namespace

Status run(const Context &context, const EmbeddingGradientArgs &args) {
  const int64_t width = args.gradTable.dims[1], columnBlocks = (width + kThreads - 1) / kThreads;
  const int64_t slices = std::max<int64_t>(context.multiprocessors * kBlocksPerMultiprocessor / columnBlocks, 1);
  withElement(args.gradOut.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context.stream, columnBlocks * slices, kThreads, embeddingGradient<T>, args.ids.as<int32_t>(), args.gradOut.as<T>(),
           args.gradTable.as<float>(), args.ids.dims[0], args.gradTable.dims[0], width, args.offset, args.padding,
           static_cast<uint32_t>(columnBlocks), static_cast<uint32_t>(slices));
  });
  return {};
}

} // namespace zp::rt::cuda
