#include "runtime/kernels/cuda/fused_heads.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {

Status run(const Context &context, const SplitQkvArgs &args) {
  moveHeads<true>(context, args, args.source);
  return {};
}

} // namespace zp::rt::cuda
