#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const ScaleArgs &args) {
  return Checker(args)
      .operands({{&args.target, &args.source}})
      .dtype(args.source, kComputeDTypes)
      .dtype(args.target, {args.source.dtype})
      .sameElements(args.target, args.source)
      .finite("factor", args.factor)
      .status();
}

} // namespace zp::rt
