// Where split_qkv and join_qkv find things: the layout of a fused projection, kv head by kv head.
#ifndef ZP_RUNTIME_KERNELS_FUSED_HEADS_H
#define ZP_RUNTIME_KERNELS_FUSED_HEADS_H

#include "runtime/kernels/check.h"

namespace zp::rt {

/// A row of the fused matrix: `kvHeads` groups, each `groupQueries` query heads wide, then a key, then a value.
struct FusedHeads {
  int64_t kvHeads, groupQueries, headDim;

  FusedHeads(int64_t heads, int64_t kvHeads, int64_t width)
      : kvHeads(kvHeads), groupQueries(heads / kvHeads), headDim(width / (heads + 2 * kvHeads)) {}
  int64_t queryWidth() const { return groupQueries * headDim; } ///< of a group
  int64_t groupWidth() const { return queryWidth() + 2 * headDim; }
};

/// The rules that both ops share; `query`, `key` and `value` may be absent.
inline Status checkFusedHeads(Checker &checker, const TensorView &fused, const TensorView &query, const TensorView &key, const TensorView &value,
                              int64_t heads, int64_t kvHeads) {
  constexpr int64_t kMost = 1 << 20;
  checker.dtype(fused, kComputeDTypes).shape(fused, {-1, -1}).attribute("heads", heads, 1, kMost).attribute("kv_heads", kvHeads, 1, kMost);
  if (!checker.ok())
    return checker.status();
  const int64_t rows = fused.dims[0], width = fused.dims[1], parts = heads + 2 * kvHeads;
  checker.rule(heads % kvHeads == 0, std::to_string(kvHeads) + " kv_heads", "a divisor of the " + std::to_string(heads) + " heads")
      .rule(width % parts == 0, "a width of " + std::to_string(width), "a multiple of the " + std::to_string(parts) + " heads of all kinds");
  if (!checker.ok())
    return checker.status();
  const int64_t headDim = width / parts;
  return checker.tensor(query, fused.dtype, {rows, heads * headDim})
      .tensor(key, fused.dtype, {rows, kvHeads * headDim})
      .tensor(value, fused.dtype, {rows, kvHeads * headDim})
      .status();
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_FUSED_HEADS_H
