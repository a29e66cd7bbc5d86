// Kernels whose threads have nothing to tell each other: a body for each pack of elements, or a function of each element.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H
#define ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H

#include "runtime/kernels/cuda/context.h"
#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/reduce.h"
#include "runtime/schema/tensor_view.h"

namespace zp::rt::cuda {

constexpr int64_t kBlocksPerMultiprocessor = 8;

/// Elements of the pack that begins at `i`, of `elements` in all.
ZP_DEVICE int packAt(int64_t i, int64_t elements) { return static_cast<int>(elements - i < kPack ? elements - i : kPack); }
inline int64_t packsIn(int64_t elements) { return (elements + kPack - 1) / kPack; }

inline int64_t blocksFor(const Context &context, int64_t threads) {
  const int64_t needed = (threads + kBlockThreads - 1) / kBlockThreads, most = context.multiprocessors * kBlocksPerMultiprocessor;
  return needed < most ? needed : most;
}

/// body(i, count) for elements [i, i + count), i a multiple of kPack.
template <typename Body> __global__ void elementsKernel(Body body, int64_t elements) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x * kPack;
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kPack; i < elements; i += stride)
    body(i, packAt(i, elements));
}
template <typename Body> void forElements(const Context &context, int64_t elements, const Body &body) {
  launch(context.stream, blocksFor(context, packsIn(elements)), kBlockThreads, elementsKernel<Body>, body, elements);
}

/// body(row, column, count) for columns [column, column + count) of a row, column a multiple of kPack: packs don't cross rows.
template <typename Body> __global__ void rowsKernel(Body body, int64_t rows, int64_t columns) {
  const int64_t packs = (columns + kPack - 1) / kPack, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < rows * packs; i += stride) {
    const int64_t column = i % packs * kPack;
    body(i / packs, column, packAt(column, columns));
  }
}
template <typename Body> void forRows(const Context &context, int64_t rows, int64_t columns, const Body &body) {
  launch(context.stream, blocksFor(context, rows * packsIn(columns)), kBlockThreads, rowsKernel<Body>, body, rows, columns);
}

/// body(column, count) for the calling thread's packs of a row that the threads of a block share.
template <typename Body> ZP_DEVICE void packsOfRow(int64_t columns, const Body &body) {
  for (int64_t column = threadIdx.x * kPack; column < columns; column += blockDim.x * kPack)
    body(column, packAt(column, columns));
}

template <typename S, typename T, typename Function> struct MapElements {
  const S *source;
  T *target;
  Function function;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float x[kPack];
    load(source + i, count, x);
    for (float &value : x)
      value = function(value);
    store(target + i, count, x);
  }
};
/// target = function(source), of floats, rounded once to T. They may be the same memory.
template <typename S, typename T, typename Function>
void mapElements(const Context &context, const TensorView &source, const TensorView &target, const Function &function) {
  forElements(context, source.elements(), MapElements<S, T, Function>{source.as<S>(), target.as<T>(), function});
}

template <typename T, typename Function> struct MapPairs {
  const T *first, *second;
  T *target;
  Function function;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float x[kPack], y[kPack];
    load(first + i, count, x);
    load(second + i, count, y);
    for (int e = 0; e < kPack; ++e)
      x[e] = function(x[e], y[e]);
    store(target + i, count, x);
  }
};
/// target = function(first, second), of floats, rounded once. They may be the same memory.
template <typename T, typename Function>
void mapPairs(const Context &context, const TensorView &first, const TensorView &second, const TensorView &target, const Function &function) {
  forElements(context, first.elements(), MapPairs<T, Function>{first.as<T>(), second.as<T>(), target.as<T>(), function});
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H
