#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/activations.h"

namespace zp::rt {

Status check(const GatedActivationArgs &args) {
  return Checker(args)
      .operands({{&args.target, &args.gate}, {&args.target, &args.up}})
      .attribute("kind", args.kind, 0, kActivations - 1)
      .dtype(args.gate, kComputeDTypes)
      .dtype(args.up, {args.gate.dtype})
      .dtype(args.target, {args.gate.dtype})
      .sameElements(args.up, args.gate)
      .sameElements(args.target, args.gate)
      .status();
}

} // namespace zp::rt
