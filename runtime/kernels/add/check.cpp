#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const AddArgs &args) {
  return Checker(args)
      .operands({{&args.target, &args.a}, {&args.target, &args.b}})
      .dtype(args.a, kComputeDTypes)
      .dtype(args.b, {args.a.dtype})
      .dtype(args.target, {args.a.dtype})
      .sameElements(args.b, args.a)
      .sameElements(args.target, args.a)
      .status();
}

} // namespace zp::rt
