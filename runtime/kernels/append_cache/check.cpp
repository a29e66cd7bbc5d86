#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const AppendCacheArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.source, kComputeDTypes).shape(args.source, {-1, -1});
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.source.dims[0];
  checker.attribute("length", args.length, 1, tokens);
  if (!checker.ok())
    return checker.status();
  checker.rule(tokens % args.length == 0, std::to_string(tokens) + " tokens", "whole rows of length")
      .tensor(args.positions, DType::I32, {tokens})
      .tensor(args.cache, args.source.dtype, {-1, args.source.dims[1]});
  if (!checker.ok())
    return checker.status();
  return checker.rule(args.cache.dims[0] % (tokens / args.length) == 0, "cache is " + describe(args.cache), "as many places for each row of tokens")
      .status();
}

} // namespace zp::rt
