#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const RmsNormArgs &args) {
  Checker checker(args);
  checker.operands()
      .dtype(args.source, kComputeDTypes)
      .shape(args.source, {-1, -1})
      .finite("epsilon", args.epsilon)
      .rule(args.epsilon >= 0, "epsilon is " + std::to_string(args.epsilon), "0 or more");
  if (!checker.ok())
    return checker.status();
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  return checker.tensor(args.weight, args.source.dtype, {width})
      .tensor(args.target, args.source.dtype, {rows, width})
      .tensor(args.rstd, DType::F32, {rows})
      .status();
}

} // namespace zp::rt
