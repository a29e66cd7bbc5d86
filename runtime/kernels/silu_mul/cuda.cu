#include "runtime/kernels/cuda/activations.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct SiluMul {
  ZP_DEVICE float operator()(float gate, float up) const { return rounded<T>(gate * sigmoid<T>(gate)) * up; }
};

} // namespace

Status run(const Context &context, const SiluMulArgs &args) {
  withElement(args.gate.dtype, [&](auto element) {
    using T = decltype(element);
    mapPairs<T>(context, args.gate, args.up, args.target, SiluMul<T>());
  });
  return {};
}

} // namespace zp::rt::cuda
