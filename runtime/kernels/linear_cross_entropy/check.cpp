#include "runtime/kernels/check.h"
#include "runtime/base/checked_math.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/workspaces.h"

namespace zp::rt {

Status check(const LinearCrossEntropyArgs &args) {
  Checker checker(args);
  checker.operands()
      .dtype(args.hidden, kComputeDTypes)
      .shape(args.hidden, {-1, -1})
      .dtype(args.weight, {args.hidden.dtype})
      .shape(args.weight, {-1, args.hidden.dims[1]});
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.hidden.dims[0], width = args.hidden.dims[1], vocabulary = args.weight.dims[0];
  DType f = args.hidden.dtype;
  // One sum, one pair, or a pair a row.
  const int64_t rows = args.length < 1 ? 1 : tokens / args.length, given = static_cast<int64_t>(args.lossSum.elements());
  const int64_t sums = given == 2 || given == 2 * rows ? given : 1;
  checker.attribute("chunk", args.chunk, 1, tokens)
      .attribute("length", args.length, 1, tokens)
      .rule(args.length < 1 || tokens % args.length == 0, std::to_string(tokens) + " tokens", "whole rows of length")
      .rule(vocabulary <= INT32_MAX, "weight is " + describe(args.weight), "a vocabulary below 2^31")
      .rule(tokens <= INT32_MAX, "hidden is " + describe(args.hidden), "fewer than 2^31 tokens")
      .tensor(args.labels, DType::I32, {tokens})
      .tensor(args.lossSum, DType::F64, {sums})
      .tensor(args.gradHidden, f, {tokens, width})
      .tensor(args.gradWeight, DType::F32, {vocabulary, width});
  if (args.scalars)
    checker.scalars(args.scalars);
  uint64_t logits; // a chunk of logits must fit in 63 bits before the formula is asked
  if (checker.ok() && (!checkedMul(args.chunk, vocabulary, logits) || logits > (uint64_t{1} << 60)))
    checker.rule(false, "chunk is " + std::to_string(args.chunk), "a chunk of logits below 2^60 elements");
  if (!checker.ok())
    return checker.status();
  return checker.workspace(args.workspace, linearCrossEntropyWorkspaceBytes(args.chunk, tokens, vocabulary, width, f)).status();
}

} // namespace zp::rt
