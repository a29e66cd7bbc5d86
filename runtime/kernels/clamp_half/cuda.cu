#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/schema/half_clamp.h"

namespace zp::rt::cuda {
namespace {

struct ClampHalf {
  const F16 *source;
  F16 *target;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
    float x[kPack];
    load(source + i, count, x);
    for (int e = 0; e < kPack; ++e)
      if (x[e] == INFINITY || x[e] == -INFINITY)
        x[e] = x[e] > 0 ? kHalfClamp : -kHalfClamp;
    store(target + i, count, x);
  }
};

} // namespace

Status run(const Context &context, const ClampHalfArgs &args) {
  const ClampHalf body{args.source.as<F16>(), args.target.as<F16>()};
  forElements(context, args.source.elements(), body, body.source, body.target);
  return {};
}

} // namespace zp::rt::cuda
