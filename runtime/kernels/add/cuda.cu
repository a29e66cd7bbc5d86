#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Add {
  const T *a, *b;
  T *target;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float x[kPack], y[kPack];
    load(a + i, count, x);
    load(b + i, count, y);
    for (int e = 0; e < kPack; ++e)
      x[e] += y[e];
    store(target + i, count, x);
  }
};

} // namespace

Status run(const Context &context, const AddArgs &args) {
  withElement(args.a.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.a.elements(), Add<T>{args.a.as<T>(), args.b.as<T>(), args.target.as<T>()});
  });
  return {};
}

} // namespace zp::rt::cuda
