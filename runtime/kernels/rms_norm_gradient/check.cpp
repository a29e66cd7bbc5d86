#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const RmsNormGradientArgs &args) {
  Checker checker(args);
  checker.operands({{&args.gradSource, &args.residualGradient}, {&args.gradSource, &args.gradOut}})
      .dtype(args.source, kComputeDTypes)
      .shape(args.source, {-1, -1});
  if (!checker.ok())
    return checker.status();
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  DType f = args.source.dtype;
  return checker.tensor(args.gradOut, f, {rows, width})
      .tensor(args.weight, f, {width})
      .tensor(args.rstd, DType::F32, {rows})
      .tensor(args.residualGradient, f, {rows, width})
      .tensor(args.gradSource, f, {rows, width})
      .tensor(args.gradWeight, DType::F32, {width})
      .status();
}

} // namespace zp::rt
