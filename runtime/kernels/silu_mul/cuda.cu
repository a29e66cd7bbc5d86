#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct SiluMul {
  const T *gate, *up;
  T *target;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float g[kPack], u[kPack];
    load(gate + i, count, g);
    load(up + i, count, u);
    for (int e = 0; e < kPack; ++e)
      u[e] *= rounded<T>(g[e] / (1 + expf(-g[e])));
    store(target + i, count, u);
  }
};

} // namespace

Status run(const Context &context, const SiluMulArgs &args) {
  withElement(args.gate.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.gate.elements(), SiluMul<T>{args.gate.as<T>(), args.up.as<T>(), args.target.as<T>()});
  });
  return {};
}

} // namespace zp::rt::cuda
