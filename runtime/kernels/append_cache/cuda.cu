#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct AppendCache {
  const T *source;
  const int32_t *positions;
  T *cache;
  Divisor length;
  int64_t places, width;
  ZP_DEVICE void operator()(auto token, auto column, auto count) const {
    const int64_t place = positions[token];
    if (place < 0 || place >= places)
      return;
    float values[kPack];
    load(source + width * token + column, count, values);
    store(cache + (places * (token / length) + place) * width + column, count, values);
  }
};

} // namespace

Status run(const Context &context, const AppendCacheArgs &args) {
  const int64_t tokens = args.source.dims[0], width = args.source.dims[1];
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    const AppendCache<T> body{args.source.as<T>(),
                              args.positions.as<int32_t>(),
                              args.cache.as<T>(),
                              Divisor(args.length),
                              args.cache.dims[0] / (tokens / args.length),
                              width};
    forRows(context, tokens, width, body, body.source, body.cache);
  });
  return {};
}

} // namespace zp::rt::cuda
