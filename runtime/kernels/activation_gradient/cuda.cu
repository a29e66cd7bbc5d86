#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct ActivationGradient {
  Activation kind;
  ZP_DEVICE float operator()(float gradOut, float source) const { return gradOut * slopeAt<T>(kind, source); }
};

} // namespace

Status run(const Context &context, const ActivationGradientArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    mapPairs<T>(context, args.gradOut, args.source, args.gradSource, ActivationGradient<T>{static_cast<Activation>(args.kind)});
  });
  return {};
}

} // namespace zp::rt::cuda
