#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct AppendCache {
  const T *source;
  const int32_t *positions;
  T *cache;
  int64_t length, places, width;
  ZP_DEVICE void operator()(int64_t token, int64_t column, int count) const {
    const int64_t place = positions[token];
    if (place < 0 || place >= places)
      return;
    float values[kPack];
    load(source + token * width + column, count, values);
    store(cache + (token / length * places + place) * width + column, count, values);
  }
};

} // namespace

Status run(const Context &context, const AppendCacheArgs &args) {
  const int64_t tokens = args.source.dims[0], width = args.source.dims[1];
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    forRows(context, tokens, width,
            AppendCache<T>{args.source.as<T>(), args.positions.as<int32_t>(), args.cache.as<T>(), args.length,
                           args.cache.dims[0] / (tokens / args.length), width});
  });
  return {};
}

} // namespace zp::rt::cuda
