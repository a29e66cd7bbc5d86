#include "runtime/kernels/gemm/check_branch.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const MatmulArgs &args) {
  Checker checker(args);
  checker.operands()
      .dtype(args.a, kComputeDTypes)
      .dtype(args.b, {args.a.dtype})
      .dtype(args.bias, {args.a.dtype})
      .workspace(args.workspace, 0)
      .dtype(args.target, {args.a.dtype, DType::F32})
      .shape(args.a, {-1, -1})
      .shape(args.b, {-1, -1})
      .finite("alpha", args.alpha);
  if (!checker.ok())
    return checker.status();
  int64_t m = args.a.dims[args.transposeA ? 1 : 0], k = args.a.dims[args.transposeA ? 0 : 1];
  int64_t n = args.b.dims[args.transposeB ? 0 : 1];
  if (args.transposeB)
    checker.shape(args.b, {n, k});
  else
    checker.shape(args.b, {k, n});
  checkBranch(checker, args, n, args.transposeB);
  return checker.shape(args.bias, {n}).shape(args.target, {m, n}).status();
}

} // namespace zp::rt
