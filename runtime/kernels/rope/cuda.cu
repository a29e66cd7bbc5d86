#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// Row = a token's head, columns = the first half of it.
template <typename T> struct Rope {
  const T *source, *cosine, *sine;
  T *target;
  Divisor heads;
  uint32_t half;
  float direction;
  ZP_DEVICE void operator()(auto row, auto column, auto count) const {
    const uint64_t at = static_cast<uint64_t>(row) * (2 * half) + column, angle = static_cast<uint64_t>(row / heads) * half + column;
    float x1[kPack], x2[kPack], c[kPack], s[kPack], out1[kPack], out2[kPack];
    load(source + at, count, x1);
    load(source + at + half, count, x2);
    load(cosine + angle, count, c);
    load(sine + angle, count, s);
    for (int e = 0; e < kPack; ++e) {
      s[e] *= direction;
      out1[e] = rounded<T>(x1[e] * c[e]) - rounded<T>(x2[e] * s[e]);
      out2[e] = rounded<T>(x2[e] * c[e]) + rounded<T>(x1[e] * s[e]);
    }
    store(target + at, count, out1);
    store(target + at + half, count, out2);
  }
};

} // namespace

Status run(const Context &context, const RopeArgs &args) {
  const int64_t heads = args.source.dims[1] / args.headDim, half = args.headDim / 2;
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    const Rope<T> body{args.source.as<T>(), args.cosine.as<T>(),         args.sine.as<T>(),          args.target.as<T>(),
                       Divisor(heads),      static_cast<uint32_t>(half), args.inverse ? -1.0f : 1.0f};
    forRows(context, args.source.dims[0] * heads, half, body, body.source, body.cosine, body.sine, body.target);
  });
  return {};
}

} // namespace zp::rt::cuda
