// Rules that relative_bias and its gradient share.
#ifndef ZP_RUNTIME_KERNELS_RELATIVE_BIAS_CHECK_H
#define ZP_RUNTIME_KERNELS_RELATIVE_BIAS_CHECK_H

#include "runtime/kernels/check.h"
#include "runtime/kernels/relative_bias/bucket.h"

namespace zp::rt {

/// `table` [buckets, heads] and `bias`, one value for each head and distance, either of which is checked by the caller for its dtype.
template <typename Args> Status checkRelativeBias(Checker &checker, const Args &args, const TensorView &table, const TensorView &bias) {
  checker.shape(table, {-1, -1}).tensor(bias, DType::F32, {-1, -1});
  if (!checker.ok())
    return checker.status();
  const RelativeBuckets buckets{table.dims[0], args.maxDistance, args.bidirectional};
  checker
      .rule(args.bidirectional ? buckets.buckets >= 4 && buckets.buckets % 2 == 0 : buckets.buckets >= 2,
            std::to_string(buckets.buckets) + " buckets", args.bidirectional ? "an even number of them, at least 4" : "at least 2")
      .attribute("max_distance", args.maxDistance, buckets.exact() + 1, INT64_MAX)
      .attribute("length", args.length, 1, bias.dims[1])
      .attribute("key_length", args.keyLength, 1, bias.dims[1]);
  if (!checker.ok())
    return checker.status();
  return checker.shape(bias, {table.dims[1], args.length + args.keyLength - 1}).status();
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_RELATIVE_BIAS_CHECK_H
