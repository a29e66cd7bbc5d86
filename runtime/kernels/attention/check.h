// Rules that attention, its gradient and attention over a cache share.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_CHECK_H
#define ZP_RUNTIME_KERNELS_ATTENTION_CHECK_H

#include "runtime/kernels/attention/head_limit.h"
#include "runtime/kernels/check.h"
#include "runtime/schema/limits.h"

namespace zp::rt {

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
  checker.rule(tokens % args.length == 0, std::to_string(tokens) + " tokens", "whole rows of length").attribute("head_dim", headDim, 1, kMaxHeadDim);
  return checker.ok() ? headDim : 0;
}

/// Checks the side of the keys, the mask and the bias against a query that checkAttention took.
template <typename Args> void checkAttentionKeys(Checker &checker, const Args &args, int64_t headDim) {
  const DType f = args.query.dtype;
  const int64_t tokens = args.query.dims[0], width = args.kvHeads * headDim;
  checker.tensor(args.key, f, {-1, width});
  if (!checker.ok())
    return;
  const int64_t keys = args.key.dims[0];
  checker.attribute("key_length", args.keyLength, 1, keys);
  if (!checker.ok())
    return;
  checker
      .rule(keys % args.keyLength == 0 && keys / args.keyLength == tokens / args.length, "key is " + describe(args.key),
            "as many rows of key_length as the queries have rows")
      .tensor(args.value, f, {keys, width})
      .tensor(args.segments, DType::I32, {tokens})
      .tensor(args.keySegments, DType::I32, {keys})
      .rule(!args.causal || args.keyLength == args.length, "key_length is " + std::to_string(args.keyLength), "length, when causal")
      .rule(args.causal || args.window == 0, "window is " + std::to_string(args.window), "0, when not causal")
      .tensor(args.bias, DType::F32, {args.heads, args.biasByDistance ? args.length + args.keyLength - 1 : keys})
      .scalars(args.scalars)
      .rule(args.scalars ? args.dropout > 0 && args.dropout < 1 : args.dropout == 0,
            "dropout is " + std::to_string(args.dropout) + (args.scalars ? " with scalars" : " without scalars"),
            "above 0 and below 1 with scalars, 0 without")
      .rule(!args.scalars || (args.length <= kMaxDropoutPlaces && args.keyLength <= kMaxDropoutPlaces),
            "rows have " + std::to_string(args.length) + " queries and " + std::to_string(args.keyLength) + " keys",
            "at most " + std::to_string(kMaxDropoutPlaces) + " with dropout, the counter's range")
      .attribute("site", args.site, 0, int64_t{UINT32_MAX} - args.heads + 1);
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_ATTENTION_CHECK_H
