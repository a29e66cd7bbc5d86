#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

struct Same {
  ZP_DEVICE float operator()(float value) const { return value; }
};

} // namespace

Status run(const Context &context, const CastArgs &args) {
  withElement(args.source.dtype, [&](auto from) {
    withElement(args.target.dtype, [&](auto to) { mapElements<decltype(from), decltype(to)>(context, args.source, args.target, Same()); });
  });
  return {};
}

} // namespace zp::rt::cuda
