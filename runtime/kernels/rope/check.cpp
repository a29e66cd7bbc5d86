#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const RopeArgs &args) {
  Checker checker(args);
  checker.operands({{&args.target, &args.source}}).dtype(args.source, kComputeDTypes).shape(args.source, {-1, -1});
  if (!checker.ok())
    return checker.status();
  int64_t tokens = args.source.dims[0], width = args.source.dims[1];
  DType f = args.source.dtype;
  checker.attribute("head_dim", args.headDim, 2, width)
      .rule(args.headDim < 2 || (args.headDim % 2 == 0 && width % args.headDim == 0), "head_dim is " + std::to_string(args.headDim),
            "an even divisor of the width " + std::to_string(width));
  return checker.tensor(args.cosine, f, {tokens, args.headDim / 2})
      .tensor(args.sine, f, {tokens, args.headDim / 2})
      .tensor(args.target, f, {tokens, width})
      .status();
}

} // namespace zp::rt
