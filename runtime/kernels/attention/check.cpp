#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/attention/check.h"

namespace zp::rt {

Status check(const AttentionArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.query, kComputeDTypes).shape(args.query, {-1, -1}).dtype(args.workspace, {DType::U8});
  int64_t headDim = checkAttention(checker, args, args.query);
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.query.dims[0];
  DType f = args.query.dtype;
  return checker.tensor(args.key, f, {tokens, args.kvHeads * headDim})
      .tensor(args.value, f, {tokens, args.kvHeads * headDim})
      .tensor(args.segments, DType::I32, {tokens})
      .tensor(args.target, f, {tokens, args.heads * headDim})
      .tensor(args.logSumExp, DType::F32, {args.heads, tokens})
      .status();
}

} // namespace zp::rt
