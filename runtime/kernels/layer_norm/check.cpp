#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const LayerNormArgs &args) {
  Checker checker(args);
  checker.operands()
      .dtype(args.source, kComputeDTypes)
      .shape(args.source, {-1, -1})
      .finite("epsilon", args.epsilon)
      .rule(args.epsilon >= 0, "epsilon is " + std::to_string(args.epsilon), "0 or more");
  if (!checker.ok())
    return checker.status();
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  DType f = args.source.dtype;
  return checker.tensor(args.weight, f, {width})
      .tensor(args.bias, f, {width})
      .tensor(args.target, f, {rows, width})
      .tensor(args.mean, DType::F32, {rows})
      .tensor(args.rstd, DType::F32, {rows})
      .status();
}

} // namespace zp::rt
