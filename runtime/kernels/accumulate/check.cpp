#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const AccumulateArgs &args) {
  return Checker(args)
      .operands()
      .dtype(args.source, {DType::F32, DType::BF16, DType::F16, DType::F64})
      .dtype(args.target, {DType::F32, DType::F64})
      .sameElements(args.target, args.source)
      .finite("scale", args.scale)
      .status();
}

} // namespace zp::rt
