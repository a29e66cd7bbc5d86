#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const LayerNormGradientArgs &args) {
  Checker checker(args);
  checker.operands({{&args.gradSource, &args.residualGradient}, {&args.gradSource, &args.gradOut}})
      .dtype(args.source, kComputeDTypes)
      .shape(args.source, {-1, -1});
  if (!checker.ok())
    return checker.status();
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  DType f = args.source.dtype;
  for (const TensorView *matrix : {&args.gradOut, &args.residualGradient, &args.gradSource})
    checker.tensor(*matrix, f, {rows, width});
  for (const TensorView *statistic : {&args.mean, &args.rstd})
    checker.tensor(*statistic, DType::F32, {rows});
  return checker.tensor(args.weight, f, {width}).tensor(args.gradWeight, DType::F32, {width}).tensor(args.gradBias, DType::F32, {width}).status();
}

} // namespace zp::rt
