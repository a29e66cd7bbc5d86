// Kernels whose threads have nothing to tell each other: a body for each pack of elements.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H
#define ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H

#include "runtime/kernels/cuda/context.h"
#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/reduce.h"

namespace zp::rt::cuda {

constexpr int64_t kBlocksPerMultiprocessor = 8;

inline int64_t blocksFor(const Context &context, int64_t threads) {
  const int64_t needed = (threads + kBlockThreads - 1) / kBlockThreads, most = context.multiprocessors * kBlocksPerMultiprocessor;
  return needed < most ? needed : most;
}

/// body(i, count) for elements [i, i + count), i a multiple of kPack.
template <typename Body> __global__ void elementsKernel(Body body, int64_t elements) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x * kPack;
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kPack; i < elements; i += stride)
    body(i, static_cast<int>(elements - i < kPack ? elements - i : kPack));
}
template <typename Body> void forElements(const Context &context, int64_t elements, const Body &body) {
  launch(context.stream, blocksFor(context, (elements + kPack - 1) / kPack), kBlockThreads, elementsKernel<Body>, body, elements);
}

/// body(row, column, count) for columns [column, column + count) of a row, column a multiple of kPack: packs don't cross rows.
template <typename Body> __global__ void rowsKernel(Body body, int64_t rows, int64_t columns) {
  const int64_t packs = (columns + kPack - 1) / kPack, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < rows * packs; i += stride) {
    const int64_t column = i % packs * kPack;
    body(i / packs, column, static_cast<int>(columns - column < kPack ? columns - column : kPack));
  }
}
template <typename Body> void forRows(const Context &context, int64_t rows, int64_t columns, const Body &body) {
  launch(context.stream, blocksFor(context, rows * ((columns + kPack - 1) / kPack)), kBlockThreads, rowsKernel<Body>, body, rows, columns);
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H
