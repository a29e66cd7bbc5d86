// Kernels whose threads have nothing to tell each other: a body for each pack of elements, or a function of each element.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H
#define ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H

#include "runtime/kernels/cuda/context.h"
#include "runtime/kernels/cuda/divisor.h"
#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/reduce.h"
#include "runtime/schema/tensor_view.h"

namespace zp::rt::cuda {

/// Elements of the pack that begins at `i`, of `elements` in all.
ZP_DEVICE int packAt(int64_t i, int64_t elements) { return static_cast<int>(elements - i < kPack ? elements - i : kPack); }
inline int64_t packsIn(int64_t elements) { return (elements + kPack - 1) / kPack; }

/// Whether all packs of rows of `columns` elements that begin at `places` are Whole; a null place is an operand that is absent.
template <typename... T> bool areWhole(int64_t columns, const T *...places) {
  return columns % kPack == 0 && ((reinterpret_cast<uintptr_t>(places) % 16 == 0) && ...);
}

/// Of a kernel that needs no more than a thread for each of `threads`.
inline int64_t blocksOf(int64_t threads) { return (threads + kBlockThreads - 1) / kBlockThreads; }

/// Of a kernel whose blocks have something to prepare: no more than run at once, each works on.
constexpr int64_t kBlocksPerMultiprocessor = 8;
inline int64_t residentBlocks(const Context &context, int64_t threads) {
  const int64_t most = context.multiprocessors * kBlocksPerMultiprocessor;
  return blocksOf(threads) < most ? blocksOf(threads) : most;
}

/// body(i, count) for elements [i, i + count), i a multiple of kPack.
template <bool kWhole, typename Body> __global__ void elementsKernel(Body body, int64_t elements) {
  const int64_t i = (static_cast<int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x) * kPack;
  if (i >= elements)
    return;
  if constexpr (kWhole)
    body(i, Whole());
  else
    body(i, packAt(i, elements));
}
/// `places`: where the body loads and stores, so that it is called with Whole counts where it can be; none: it never is.
template <typename Body, typename... T> void forElements(const Context &context, int64_t elements, const Body &body, const T *...places) {
  const int64_t blocks = blocksOf(packsIn(elements));
  if constexpr (sizeof...(T) > 0)
    if (areWhole(elements, places...))
      return launch(context.stream, blocks, kBlockThreads, elementsKernel<true, Body>, body, elements);
  launch(context.stream, blocks, kBlockThreads, elementsKernel<false, Body>, body, elements);
}

/// body(row, column, count) for columns [column, column + count) of a row, column a multiple of kPack: packs don't cross rows.
template <typename Body> __global__ void rowsKernel(Body body, int64_t rows, int64_t columns) {
  const int64_t packs = (columns + kPack - 1) / kPack, i = static_cast<int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x;
  if (i >= rows * packs)
    return;
  const int64_t column = i % packs * kPack;
  body(i / packs, column, packAt(column, columns));
}
template <typename Body> __global__ void wholeRowsKernel(Body body, uint32_t packs, Divisor rowPacks) {
  const uint32_t i = blockIdx.x * kBlockThreads + threadIdx.x;
  if (i >= packs)
    return;
  const uint32_t row = i / rowPacks;
  body(row, (i - row * rowPacks.value) * kPack, Whole());
}
/// `places` as of forElements. Rows and columns of Whole packs are numbers of 32 bits.
template <typename Body, typename... T> void forRows(const Context &context, int64_t rows, int64_t columns, const Body &body, const T *...places) {
  const int64_t packs = rows * packsIn(columns);
  if constexpr (sizeof...(T) > 0)
    if (packs > 0 && packs <= Divisor::kMost && areWhole(columns, places...))
      return launch(context.stream, blocksOf(packs), kBlockThreads, wholeRowsKernel<Body>, body, static_cast<uint32_t>(packs),
                    Divisor(columns / kPack));
  launch(context.stream, blocksOf(packs), kBlockThreads, rowsKernel<Body>, body, rows, columns);
}

/// body(column, count) for the calling thread's packs of a row that the threads of a block share.
template <typename Body> ZP_DEVICE void packsOfRow(int64_t columns, const Body &body) {
  for (int64_t column = threadIdx.x * kPack; column < columns; column += kBlockThreads * kPack)
    body(column, packAt(column, columns));
}

/// The same for rows of Whole packs, at most kHeld of them a thread: body(place, column, Whole()) where a kernel keeps them between its
/// passes, at place < kHeld of an array. kHeld = 0: any row, nothing is kept, place is 0.
template <int kHeld, typename Body> ZP_DEVICE void heldPacks(int64_t columns, const Body &body) {
  if constexpr (kHeld == 0) {
    packsOfRow(columns, [&](int64_t column, int count) { body(0, column, count); });
  } else {
    for (int place = 0; place < kHeld; ++place) {
      const int column = (place * kBlockThreads + static_cast<int>(threadIdx.x)) * kPack;
      if (column < static_cast<int>(columns))
        body(place, column, Whole());
    }
  }
}
/// Calls `body` with kHeld, an integral constant, for rows of `columns` at `places`.
template <typename Body, typename... T> void withHeld(int64_t columns, const Body &body, const T *...places) {
  constexpr int64_t kOfBlock = kBlockThreads * kPack;
  if (!areWhole(columns, places...) || columns > 4 * kOfBlock)
    body(std::integral_constant<int, 0>());
  else if (columns > 2 * kOfBlock)
    body(std::integral_constant<int, 4>());
  else
    body(std::integral_constant<int, 2>());
}

template <typename S, typename T, typename Function> struct MapElements {
  const S *source;
  T *target;
  Function function;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
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
  const MapElements<S, T, Function> body{source.as<S>(), target.as<T>(), function};
  forElements(context, source.elements(), body, body.source, body.target);
}

template <typename T, typename Function> struct MapPairs {
  const T *first, *second;
  T *target;
  Function function;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
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
  const MapPairs<T, Function> body{first.as<T>(), second.as<T>(), target.as<T>(), function};
  forElements(context, first.elements(), body, body.first, body.second, body.target);
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_ELEMENTWISE_H
