#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const DropoutArgs &args) {
  Checker checker(args);
  checker.operands({{&args.target, &args.source}})
      .dtype(args.source, kComputeDTypes)
      .dtype(args.target, {args.source.dtype})
      .shape(args.source, {-1, -1})
      .scalars(args.scalars)
      .rule(args.probability >= 0 && args.probability < 1, "probability is " + std::to_string(args.probability), "0 or more and below 1")
      .attribute("site", args.site, 0, UINT32_MAX);
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.source.dims[0], width = args.source.dims[1];
  checker.shape(args.target, {tokens, width})
      .attribute("length", args.length, 1, tokens)
      .rule(args.length < 1 || tokens % args.length == 0, std::to_string(tokens) + " tokens", "whole rows of length")
      .rule(args.length < 1 || args.length * width / 4 <= int64_t{UINT32_MAX}, "a row has " + std::to_string(args.length * width) + " elements",
            "at most 2^34, the counter's range");
  return checker.status();
}

} // namespace zp::rt
