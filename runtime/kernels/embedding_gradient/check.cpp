#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const EmbeddingGradientArgs &args) {
  Checker checker(args);
  checker.operands().tensor(args.ids, DType::I32, {-1}).dtype(args.gradOut, kComputeDTypes).tensor(args.gradTable, DType::F32, {-1, -1});
  if (!checker.ok())
    return checker.status();
  checker.attribute("offset", args.offset, 0, args.gradTable.dims[0] - 1);
  if (!checker.ok())
    return checker.status();
  checker.attribute("padding", args.padding, -1, args.gradTable.dims[0] - args.offset - 1);
  return checker.shape(args.gradOut, {args.ids.dims[0], args.gradTable.dims[1]}).status();
}

} // namespace zp::rt
