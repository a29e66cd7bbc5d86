#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/schema/half_clamp.h"

namespace zp::rt::cuda {
namespace {

struct ClampHalfGradient {
  const F16 *gradOut, *clamped;
  F16 *gradSource;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
    float d[kPack], x[kPack];
    load(gradOut + i, count, d);
    load(clamped + i, count, x);
    for (int e = 0; e < kPack; ++e)
      if (x[e] == kHalfClamp || x[e] == -kHalfClamp)
        d[e] = 0;
    store(gradSource + i, count, d);
  }
};

} // namespace

Status run(const Context &context, const ClampHalfGradientArgs &args) {
  const ClampHalfGradient body{args.gradOut.as<F16>(), args.clamped.as<F16>(), args.gradSource.as<F16>()};
  forElements(context, args.gradOut.elements(), body, body.gradOut, body.clamped, body.gradSource);
  return {};
}

} // namespace zp::rt::cuda
