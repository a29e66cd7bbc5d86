#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct SiluMulGradient {
  const T *gradOut, *gate, *up;
  T *gradGate, *gradUp;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float d[kPack], g[kPack], u[kPack], dGate[kPack], dUp[kPack];
    load(gradOut + i, count, d);
    load(gate + i, count, g);
    load(up + i, count, u);
    for (int e = 0; e < kPack; ++e) {
      const float sigmoid = 1 / (1 + expf(-g[e]));
      dGate[e] = d[e] * u[e] * sigmoid * (1 + g[e] * (1 - sigmoid));
      dUp[e] = d[e] * rounded<T>(g[e] * sigmoid);
    }
    store(gradGate + i, count, dGate);
    store(gradUp + i, count, dUp);
  }
};

} // namespace

Status run(const Context &context, const SiluMulGradientArgs &args) {
  withElement(args.gate.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.gate.elements(),
                SiluMulGradient<T>{args.gradOut.as<T>(), args.gate.as<T>(), args.up.as<T>(), args.gradGate.as<T>(), args.gradUp.as<T>()});
  });
  return {};
}

} // namespace zp::rt::cuda
