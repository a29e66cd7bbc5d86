#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct GateGradient {
  const T *gradOut, *gate, *up;
  T *gradGate, *gradUp;
  Activation kind;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
    float d[kPack], g[kPack], u[kPack], dGate[kPack], dUp[kPack];
    load(gradOut + i, count, d);
    load(gate + i, count, g);
    load(up + i, count, u);
    for (int e = 0; e < kPack; ++e) {
      dGate[e] = d[e] * u[e] * slopeAt<T>(kind, g[e]);
      dUp[e] = d[e] * rounded<T>(activated<T>(kind, g[e]));
    }
    store(gradGate + i, count, dGate);
    store(gradUp + i, count, dUp);
  }
};

} // namespace

Status run(const Context &context, const GatedActivationGradientArgs &args) {
  withElement(args.gate.dtype, [&](auto element) {
    using T = decltype(element);
    const GateGradient<T> body{args.gradOut.as<T>(),  args.gate.as<T>(),   args.up.as<T>(),
                               args.gradGate.as<T>(), args.gradUp.as<T>(), static_cast<Activation>(args.kind)};
    forElements(context, args.gate.elements(), body, body.gradOut, body.gate, body.up, body.gradGate, body.gradUp);
  });
  return {};
}

} // namespace zp::rt::cuda
