#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct ActivationGradient {
  const T *gradOut, *source;
  T *gradSource;
  Activation kind;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float d[kPack], x[kPack];
    load(gradOut + i, count, d);
    load(source + i, count, x);
    for (int e = 0; e < kPack; ++e)
      d[e] *= slopeAt(kind, x[e]);
    store(gradSource + i, count, d);
  }
};

} // namespace

Status run(const Context &context, const ActivationGradientArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.source.elements(),
                ActivationGradient<T>{args.gradOut.as<T>(), args.source.as<T>(), args.gradSource.as<T>(), static_cast<Activation>(args.kind)});
  });
  return {};
}

} // namespace zp::rt::cuda
