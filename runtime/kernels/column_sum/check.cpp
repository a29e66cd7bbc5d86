#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const ColumnSumArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.source, kComputeDTypes).shape(args.source, {-1, -1});
  if (!checker.ok())
    return checker.status();
  return checker.tensor(args.target, DType::F32, {args.source.dims[1]}).status();
}

} // namespace zp::rt
