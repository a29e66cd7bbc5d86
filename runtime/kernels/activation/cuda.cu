#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Activate {
  const T *source;
  T *target;
  Activation kind;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float x[kPack];
    load(source + i, count, x);
    for (float &value : x)
      value = activated(kind, value);
    store(target + i, count, x);
  }
};

} // namespace

Status run(const Context &context, const ActivationArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.source.elements(), Activate<T>{args.source.as<T>(), args.target.as<T>(), static_cast<Activation>(args.kind)});
  });
  return {};
}

} // namespace zp::rt::cuda
