// Rules that attention and its gradient share.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_CHECK_H
#define ZP_RUNTIME_KERNELS_ATTENTION_CHECK_H

#include "runtime/kernels/check.h"

namespace zp::rt {

/// The largest head_dim that the kernels' stack tiles are laid out for.
inline constexpr int64_t kMaxHeadDim = 256;

/// Checks heads, kv_heads, length, window and scale against the query; returns head_dim when all is well, else 0.
template <typename Args> int64_t checkAttention(Checker &checker, const Args &args, const TensorView &query) {
  if (!checker.ok())
    return 0;
  int64_t tokens = query.dims[0], width = query.dims[1];
  checker.attribute("heads", args.heads, 1, width).attribute("kv_heads", args.kvHeads, 1, args.heads);
  if (!checker.ok())
    return 0;
  checker.rule(width % args.heads == 0, "query is " + describe(query), "a width that heads divides")
      .rule(args.heads % args.kvHeads == 0, "kv_heads is " + std::to_string(args.kvHeads), "a divisor of heads")
      .attribute("length", args.length, 1, tokens)
      .attribute("window", args.window, 0, INT64_MAX / 2)
      .finite("scale", args.scale);
  if (!checker.ok())
    return 0;
  int64_t headDim = width / args.heads;
  checker.rule(tokens % args.length == 0, std::to_string(tokens) + " tokens", "whole rows of length")
      .attribute("head_dim", headDim, 1, kMaxHeadDim);
  return checker.ok() ? headDim : 0;
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_ATTENTION_CHECK_H
