#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Gate {
  const T *gate, *up;
  T *target;
  Activation kind;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float g[kPack], u[kPack];
    load(gate + i, count, g);
    load(up + i, count, u);
    for (int e = 0; e < kPack; ++e)
      u[e] *= rounded<T>(activated(kind, g[e]));
    store(target + i, count, u);
  }
};

} // namespace

Status run(const Context &context, const GatedActivationArgs &args) {
  withElement(args.gate.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.gate.elements(),
                Gate<T>{args.gate.as<T>(), args.up.as<T>(), args.target.as<T>(), static_cast<Activation>(args.kind)});
  });
  return {};
}

} // namespace zp::rt::cuda
