#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const CastArgs &args) {
  return Checker(args)
      .operands()
      .dtype(args.source, {DType::F32, DType::BF16, DType::F16})
      .dtype(args.target, {DType::F32, DType::BF16, DType::F16})
      .sameElements(args.target, args.source)
      .status();
}

} // namespace zp::rt
