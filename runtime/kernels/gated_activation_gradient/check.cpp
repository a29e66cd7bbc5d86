#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/activations.h"

namespace zp::rt {

Status check(const GatedActivationGradientArgs &args) {
  Checker checker(args);
  checker.operands({{&args.gradGate, &args.gate}, {&args.gradUp, &args.up}})
      .attribute("kind", args.kind, 0, kActivations - 1)
      .dtype(args.gradOut, kComputeDTypes);
  for (const TensorView *operand : {&args.gate, &args.up, &args.gradGate, &args.gradUp})
    checker.dtype(*operand, {args.gradOut.dtype}).sameElements(*operand, args.gradOut);
  return checker.status();
}

} // namespace zp::rt
