// Between a fused projection and its parts (runtime/kernels/fused_heads.h has the layout), a pack at a time in either direction.
#ifndef ZP_RUNTIME_KERNELS_CUDA_FUSED_HEADS_H
#define ZP_RUNTIME_KERNELS_CUDA_FUSED_HEADS_H

#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/fused_heads.h"

namespace zp::rt::cuda {

/// Row = a head of a token of the fused matrix, columns = its elements. A part that is absent counts as zeros.
template <typename T, bool kSplit> struct MoveHeads {
  T *fused, *query, *key, *value;
  Divisor groupHeads;
  int64_t groupQueries, headDim;
  ZP_DEVICE void operator()(auto row, auto column, auto count) const {
    const int64_t group = row / groupHeads, place = row - group * groupHeads.value; // a token's kv heads follow one another
    const bool isQuery = place < groupQueries;
    T *part = isQuery ? query : place == groupQueries ? key : value;
    const int64_t head = isQuery ? group * groupQueries + place : group;
    float values[kPack] = {};
    if constexpr (kSplit) {
      load(fused + headDim * row + column, count, values);
      store(part + head * headDim + column, count, values);
    } else {
      if (part)
        load(part + head * headDim + column, count, values);
      store(fused + headDim * row + column, count, values);
    }
  }
};

/// Moves the heads of `args`, of which `fused` is the whole.
template <bool kSplit, typename Args> void moveHeads(const Context &context, const Args &args, const TensorView &fused) {
  const FusedHeads layout(args.heads, args.kvHeads, fused.dims[1]);
  withElement(fused.dtype, [&](auto element) {
    using T = decltype(element);
    const MoveHeads<T, kSplit> body{fused.as<T>(),
                                    args.query.template as<T>(),
                                    args.key.template as<T>(),
                                    args.value.template as<T>(),
                                    Divisor(layout.groupQueries + 2),
                                    layout.groupQueries,
                                    layout.headDim};
    forRows(context, fused.dims[0] * (args.heads + 2 * args.kvHeads), layout.headDim, body, body.fused, body.query, body.key, body.value);
  });
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_FUSED_HEADS_H
