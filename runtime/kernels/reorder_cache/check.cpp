#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/limits.h"

namespace zp::rt {

Status check(const ReorderCacheArgs &args) {
  Checker checker(args);
  checker.operands().tensor(args.rows, DType::I32, {-1}).dtype(args.cache, kComputeDTypes).shape(args.cache, {-1, -1});
  if (!checker.ok())
    return checker.status();
  return checker.attribute("rows", args.rows.dims[0], 1, kMaxCacheRows)
      .rule(args.cache.dims[0] % args.rows.dims[0] == 0, "cache is " + describe(args.cache), "as many places for each row")
      .status();
}

} // namespace zp::rt
