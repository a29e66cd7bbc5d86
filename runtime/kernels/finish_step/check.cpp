#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const FinishStepArgs &args) {
  return Checker(args)
      .operands()
      .tensor(args.squareSum, DType::F64, {1})
      .tensor(args.lossSum, DType::F64, {1})
      .scalars(args.scalars)
      .tensor(args.coefficient, DType::F32, {1})
      .tensor(args.metrics, DType::F64, {4})
      .finite("max_norm", args.maxNorm)
      .status();
}

} // namespace zp::rt
