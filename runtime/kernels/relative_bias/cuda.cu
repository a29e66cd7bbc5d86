#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/relative_bias/bucket.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct RelativeBias {
  const T *table;
  float *target;
  RelativeBuckets buckets;
  int64_t heads, distances, length;
  ZP_DEVICE void operator()(int64_t head, int64_t column, int count) const {
    for (int64_t e = column; e < column + count; ++e)
      target[head * distances + e] = toFloat(table[buckets.of(e - (length - 1)) * heads + head]);
  }
};

} // namespace

Status run(const Context &context, const RelativeBiasArgs &args) {
  const int64_t heads = args.table.dims[1], distances = args.length + args.keyLength - 1;
  withElement(args.table.dtype, [&](auto element) {
    using T = decltype(element);
    forRows(
        context, heads, distances,
        RelativeBias<T>{
            args.table.as<T>(), args.target.as<float>(), {args.table.dims[0], args.maxDistance, args.bidirectional}, heads, distances, args.length});
  });
  return {};
}

} // namespace zp::rt::cuda
