#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const SiluMulGradientArgs &args) {
  return Checker(args)
      .operands({{&args.gradGate, &args.gate}, {&args.gradUp, &args.up}})
      .dtype(args.gradOut, kComputeDTypes)
      .dtype(args.gate, {args.gradOut.dtype})
      .dtype(args.up, {args.gradOut.dtype})
      .dtype(args.gradGate, {args.gradOut.dtype})
      .dtype(args.gradUp, {args.gradOut.dtype})
      .sameElements(args.gate, args.gradOut)
      .sameElements(args.up, args.gradOut)
      .sameElements(args.gradGate, args.gradOut)
      .sameElements(args.gradUp, args.gradOut)
      .status();
}

} // namespace zp::rt
