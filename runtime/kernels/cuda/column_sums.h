// Sums down the columns of a matrix, added into f32: gradients of biases and of norms' weights. Rows are cut into strips; the strips'
// sums lie in the context's scratch and are added in order.
#ifndef ZP_RUNTIME_KERNELS_CUDA_COLUMN_SUMS_H
#define ZP_RUNTIME_KERNELS_CUDA_COLUMN_SUMS_H

#include "runtime/kernels/cuda/elementwise.h"

namespace zp::rt::cuda {

constexpr int64_t kMaxStrips = 64;
constexpr int64_t kPartialSums = kScratchBytes / sizeof(float);

/// Of columns [first, first + columns).
template <typename Value>
__global__ void stripSumsKernel(Value value, int64_t rows, int64_t first, int64_t columns, int64_t columnBlocks, int64_t strips, float *partial) {
  const int64_t column = blockIdx.x % columnBlocks * kBlockThreads + threadIdx.x, strip = blockIdx.x / columnBlocks;
  if (column >= columns)
    return;
  float sum = 0;
  for (int64_t row = strip * rows / strips; row < (strip + 1) * rows / strips; ++row)
    sum += value(row, first + column);
  partial[strip * columns + column] = sum;
}

/// A thread a column: a warp's loads lie beside each other. Warps are blocks of their own, on multiprocessors of their own.
template <int kThreads> __global__ void addStripsKernel(const float *partial, float *target, int64_t strips, int64_t columns) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (column >= columns)
    return;
  float sum = 0;
  for (int64_t strip = 0; strip < strips; ++strip)
    sum += partial[strip * columns + column];
  target[column] += sum;
}

/// target[c] += Σ over rows of value(row, c). As many columns at a time as the scratch has room for; how rows are cut depends on the whole.
template <typename Value> void addColumnSums(const Context &context, int64_t rows, int64_t columns, const Value &value, float *target) {
  auto *partial = static_cast<float *>(context.scratch);
  const int64_t most = columns < kPartialSums ? columns : kPartialSums, room = kPartialSums / most;
  int64_t strips = rows < kMaxStrips ? rows : kMaxStrips;
  strips = room < strips ? room : strips;
  for (int64_t first = 0; first < columns; first += most) {
    const int64_t width = columns - first < most ? columns - first : most, blocks = (width + kBlockThreads - 1) / kBlockThreads;
    launch(context.stream, blocks * strips, kBlockThreads, stripSumsKernel<Value>, value, rows, first, width, blocks, strips, partial);
    constexpr int kWarp = 32;
    launch(context.stream, (width + kWarp - 1) / kWarp, kWarp, addStripsKernel<kWarp>, static_cast<const float *>(partial), target + first, strips,
           width);
  }
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_COLUMN_SUMS_H
