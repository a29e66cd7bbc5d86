// Between a fused projection and its parts (runtime/kernels/fused_heads.h has the layout), a pack at a time in either direction.
#ifndef ZP_RUNTIME_KERNELS_CUDA_FUSED_HEADS_H
#define ZP_RUNTIME_KERNELS_CUDA_FUSED_HEADS_H

#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/fused_heads.h"

namespace zp::rt::cuda {

/// Row = a head of a token of the fused matrix, columns = its elements. A part that is absent counts as zeros.
template <typename T, bool kSplit> struct MoveHeads {
  T *fused, *query, *key, *value;
  FusedHeads layout;
  ZP_DEVICE void operator()(int64_t row, int64_t column, int count) const {
    const int64_t groupHeads = layout.groupQueries + 2, headsOfToken = layout.kvHeads * groupHeads;
    const int64_t token = row / headsOfToken, kvHead = row % headsOfToken / groupHeads, place = row % groupHeads;
    const bool isQuery = place < layout.groupQueries;
    T *part = isQuery ? query : place == layout.groupQueries ? key : value;
    const int64_t head = isQuery ? (token * layout.kvHeads + kvHead) * layout.groupQueries + place : token * layout.kvHeads + kvHead;
    float values[kPack] = {};
    if constexpr (kSplit) {
      load(fused + row * layout.headDim + column, count, values);
      store(part + head * layout.headDim + column, count, values);
    } else {
      if (part)
        load(part + head * layout.headDim + column, count, values);
      store(fused + row * layout.headDim + column, count, values);
    }
  }
};

/// Moves the heads of `args`, of which `fused` is the whole.
template <bool kSplit, typename Args> void moveHeads(const Context &context, const Args &args, const TensorView &fused) {
  const FusedHeads layout(args.heads, args.kvHeads, fused.dims[1]);
  withElement(fused.dtype, [&](auto element) {
    using T = decltype(element);
    forRows(context, fused.dims[0] * (args.heads + 2 * args.kvHeads), layout.headDim,
            MoveHeads<T, kSplit>{fused.as<T>(), args.query.template as<T>(), args.key.template as<T>(), args.value.template as<T>(), layout});
  });
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_FUSED_HEADS_H
