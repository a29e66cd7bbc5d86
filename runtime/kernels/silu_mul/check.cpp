#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const SiluMulArgs &args) {
  return Checker(args)
      .operands({{&args.target, &args.gate}, {&args.target, &args.up}})
      .dtype(args.gate, kComputeDTypes)
      .dtype(args.up, {args.gate.dtype})
      .dtype(args.target, {args.gate.dtype})
      .sameElements(args.up, args.gate)
      .sameElements(args.target, args.gate)
      .status();
}

} // namespace zp::rt
