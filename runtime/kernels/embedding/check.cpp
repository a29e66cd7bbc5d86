#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const EmbeddingArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.table, kComputeDTypes).shape(args.table, {-1, -1}).tensor(args.ids, DType::I32, {-1});
  if (!checker.ok())
    return checker.status();
  checker.attribute("offset", args.offset, 0, args.table.dims[0] - 1);
  return checker.tensor(args.target, args.table.dtype, {args.ids.dims[0], args.table.dims[1]}).status();
}

} // namespace zp::rt
