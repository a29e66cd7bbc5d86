#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Activate {
  Activation kind;
  ZP_DEVICE float operator()(float value) const { return activated<T>(kind, value); }
};

} // namespace

Status run(const Context &context, const ActivationArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    mapElements<T, T>(context, args.source, args.target, Activate<T>{static_cast<Activation>(args.kind)});
  });
  return {};
}

} // namespace zp::rt::cuda
