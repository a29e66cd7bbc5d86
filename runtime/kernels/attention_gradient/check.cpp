#include "runtime/kernels/check.h"
#include "runtime/kernels/attention/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/workspaces.h"

namespace zp::rt {

Status check(const AttentionGradientArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.query, kComputeDTypes).shape(args.query, {-1, -1});
  int64_t headDim = checkAttention(checker, args, args.query);
  if (checker.ok())
    checkAttentionKeys(checker, args, headDim);
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.query.dims[0], keys = args.key.dims[0];
  DType f = args.query.dtype;
  return checker.tensor(args.gradOut, f, {tokens, args.heads * headDim})
      .tensor(args.out, f, {tokens, args.heads * headDim})
      .tensor(args.logSumExp, DType::F32, {args.heads, tokens})
      .tensor(args.gradQuery, f, {tokens, args.heads * headDim})
      .tensor(args.gradKey, f, {keys, args.kvHeads * headDim})
      .tensor(args.gradValue, f, {keys, args.kvHeads * headDim})
      .rule(!args.gradBias || (args.bias && args.biasByDistance), "grad_bias is " + describe(args.gradBias), "none without a bias by distance")
      .tensor(args.gradBias, DType::F32, {args.heads, args.length + args.keyLength - 1})
      .workspace(args.workspace, attentionGradientWorkspaceBytes(args.heads, tokens, headDim, f))
      .status();
}

} // namespace zp::rt
