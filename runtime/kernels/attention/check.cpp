#include "runtime/kernels/check.h"
#include "runtime/kernels/attention/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const AttentionArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.query, kComputeDTypes).shape(args.query, {-1, -1}).dtype(args.workspace, {DType::U8});
  int64_t headDim = checkAttention(checker, args, args.query);
  if (checker.ok())
    checkAttentionKeys(checker, args, headDim);
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.query.dims[0];
  return checker.tensor(args.target, args.query.dtype, {tokens, args.heads * headDim})
      .tensor(args.logSumExp, DType::F32, {args.heads, tokens})
      .status();
}

} // namespace zp::rt
