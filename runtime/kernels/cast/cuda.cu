#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename S, typename T> struct Cast {
  const S *source;
  T *target;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float values[kPack];
    load(source + i, count, values);
    store(target + i, count, values);
  }
};

} // namespace

Status run(const Context &context, const CastArgs &args) {
  withElement(args.source.dtype, [&](auto from) {
    withElement(args.target.dtype, [&](auto to) {
      using S = decltype(from);
      using T = decltype(to);
      forElements(context, args.source.elements(), Cast<S, T>{args.source.as<S>(), args.target.as<T>()});
    });
  });
  return {};
}

} // namespace zp::rt::cuda
