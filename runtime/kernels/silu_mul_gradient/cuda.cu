#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct SiluMulGradient {
  const T *gradOut, *gate, *up;
  T *gradGate, *gradUp;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
    float d[kPack], g[kPack], u[kPack], dGate[kPack], dUp[kPack];
    load(gradOut + i, count, d);
    load(gate + i, count, g);
    load(up + i, count, u);
    for (int e = 0; e < kPack; ++e) {
      const float s = sigmoid<T>(g[e]);
      dGate[e] = d[e] * u[e] * s * (1 + g[e] * (1 - s));
      dUp[e] = d[e] * rounded<T>(g[e] * s);
    }
    store(gradGate + i, count, dGate);
    store(gradUp + i, count, dUp);
  }
};

} // namespace

Status run(const Context &context, const SiluMulGradientArgs &args) {
  withElement(args.gate.dtype, [&](auto element) {
    using T = decltype(element);
    const SiluMulGradient<T> body{args.gradOut.as<T>(), args.gate.as<T>(), args.up.as<T>(), args.gradGate.as<T>(), args.gradUp.as<T>()};
    forElements(context, args.gate.elements(), body, body.gradOut, body.gate, body.up, body.gradGate, body.gradUp);
  });
  return {};
}

} // namespace zp::rt::cuda
