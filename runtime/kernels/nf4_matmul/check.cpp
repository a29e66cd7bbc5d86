#include "runtime/kernels/gemm/check_branch.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/quant/quant_matrix.h"

namespace zp::rt {

Status check(const NF4MatmulArgs &args) {
  Checker checker(args);
  checker.operands()
      .dtype(args.a, kComputeDTypes)
      .dtype(args.bias, {args.a.dtype})
      .dtype(args.floats, {args.a.dtype})
      .dtype(args.target, {args.a.dtype})
      .workspace(args.workspace, 0)
      .shape(args.a, {-1, -1})
      .finite("alpha", args.alpha);
  checkRecords(checker, args.weight, args.rows, args.columns, args.quantType, args.blockSize, args.nested);
  if (!checker.ok())
    return checker.status();
  const int64_t m = args.a.dims[0], n = args.transpose ? args.rows : args.columns, k = args.transpose ? args.columns : args.rows;
  checkBranch(checker, args, n, args.transpose);
  return checker.shape(args.a, {m, k}).shape(args.bias, {n}).shape(args.floats, {args.rows, args.columns}).shape(args.target, {m, n}).status();
}

} // namespace zp::rt
