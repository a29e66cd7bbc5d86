#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/attention/check.h"
#include "runtime/schema/workspaces.h"

namespace zp::rt {

Status check(const AttentionGradientArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.query, kComputeDTypes).shape(args.query, {-1, -1});
  int64_t headDim = checkAttention(checker, args, args.query);
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.query.dims[0];
  DType f = args.query.dtype;
  return checker.tensor(args.gradOut, f, {tokens, args.heads * headDim})
      .tensor(args.key, f, {tokens, args.kvHeads * headDim})
      .tensor(args.value, f, {tokens, args.kvHeads * headDim})
      .tensor(args.out, f, {tokens, args.heads * headDim})
      .tensor(args.logSumExp, DType::F32, {args.heads, tokens})
      .tensor(args.segments, DType::I32, {tokens})
      .tensor(args.gradQuery, f, {tokens, args.heads * headDim})
      .tensor(args.gradKey, f, {tokens, args.kvHeads * headDim})
      .tensor(args.gradValue, f, {tokens, args.kvHeads * headDim})
      .workspace(args.workspace, attentionGradientWorkspaceBytes(args.heads, tokens, headDim, f))
      .status();
}

} // namespace zp::rt
