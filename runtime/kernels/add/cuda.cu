#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {

Status run(const Context &context, const AddArgs &args) {
  withElement(args.a.dtype, [&](auto element) { mapPairs<decltype(element)>(context, args.a, args.b, args.target, Sum()); });
  return {};
}

} // namespace zp::rt::cuda
