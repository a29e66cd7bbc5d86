#include "runtime/kernels/cuda/fused_heads.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {

Status run(const Context &context, const JoinQkvArgs &args) {
  moveHeads<false>(context, args, args.target);
  return {};
}

} // namespace zp::rt::cuda
