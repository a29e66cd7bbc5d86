#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const CopyRowsArgs &args) {
  Checker checker(args);
  checker.operands().shape(args.source, {-1, -1}).scalars(args.scalars);
  if (!checker.ok())
    return checker.status();
  return checker.tensor(args.target, args.source.dtype, {-1, args.source.dims[1]}).status();
}

} // namespace zp::rt
