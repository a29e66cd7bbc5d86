#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const ClampHalfGradientArgs &args) {
  return Checker(args)
      .operands({{&args.gradSource, &args.gradOut}})
      .dtype(args.gradOut, {DType::F16})
      .dtype(args.clamped, {DType::F16})
      .dtype(args.gradSource, {DType::F16})
      .sameElements(args.clamped, args.gradOut)
      .sameElements(args.gradSource, args.gradOut)
      .status();
}

} // namespace zp::rt
