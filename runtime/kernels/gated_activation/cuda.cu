#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Gate {
  Activation kind;
  ZP_DEVICE float operator()(float gate, float up) const { return rounded<T>(activated<T>(kind, gate)) * up; }
};

} // namespace

Status run(const Context &context, const GatedActivationArgs &args) {
  withElement(args.gate.dtype, [&](auto element) {
    using T = decltype(element);
    mapPairs<T>(context, args.gate, args.up, args.target, Gate<T>{static_cast<Activation>(args.kind)});
  });
  return {};
}

} // namespace zp::rt::cuda
