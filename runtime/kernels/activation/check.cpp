#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/activations.h"

namespace zp::rt {

Status check(const ActivationArgs &args) {
  return Checker(args)
      .operands({{&args.target, &args.source}})
      .attribute("kind", args.kind, 0, kActivations - 1)
      .dtype(args.source, kComputeDTypes)
      .dtype(args.target, {args.source.dtype})
      .sameElements(args.target, args.source)
      .status();
}

} // namespace zp::rt
