#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

struct Scale {
  float factor;
  ZP_DEVICE float operator()(float value) const { return value * factor; }
};

} // namespace

Status run(const Context &context, const ScaleArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    mapElements<T, T>(context, args.source, args.target, Scale{static_cast<float>(args.factor)});
  });
  return {};
}

} // namespace zp::rt::cuda
