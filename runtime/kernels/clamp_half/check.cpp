#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const ClampHalfArgs &args) {
  return Checker(args)
      .operands({{&args.target, &args.source}})
      .dtype(args.source, {DType::F16})
      .dtype(args.target, {DType::F16})
      .sameElements(args.target, args.source)
      .status();
}

} // namespace zp::rt
