#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const FinishStepArgs &args) {
  const bool counts = args.lossSum.elements() == 2; // of right predictions, beside the loss
  return Checker(args)
      .operands()
      .tensor(args.squareSum, DType::F64, {1})
      .tensor(args.lossSum, DType::F64, {counts ? 2 : 1})
      .scalars(args.scalars)
      .tensor(args.coefficient, DType::F32, {1})
      .tensor(args.metrics, DType::F64, {counts ? 5 : 4})
      .finite("max_norm", args.maxNorm)
      .status();
}

} // namespace zp::rt
