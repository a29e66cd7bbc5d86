#include "runtime/kernels/attention/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const CachedAttentionArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.query, kComputeDTypes).shape(args.query, {-1, -1});
  const int64_t headDim = checkAttention(checker, args, args.query);
  if (!checker.ok())
    return checker.status();
  const int64_t tokens = args.query.dims[0], width = args.kvHeads * headDim;
  const DType f = args.query.dtype;
  checker.tensor(args.key, f, {-1, width}).tensor(args.positions, DType::I32, {tokens}).tensor(args.target, f, {tokens, args.heads * headDim});
  if (!checker.ok())
    return checker.status();
  const int64_t places = args.key.dims[0] / (tokens / args.length);
  return checker.tensor(args.value, f, {args.key.dims[0], width})
      .rule(args.key.dims[0] % (tokens / args.length) == 0, "key is " + describe(args.key), "as many places for each row of tokens")
      .tensor(args.bias, DType::F32, {args.heads, args.biasByDistance ? 2 * places - 1 : places})
      .status();
}

} // namespace zp::rt
