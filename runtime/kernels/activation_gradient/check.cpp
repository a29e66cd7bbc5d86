#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/activations.h"

namespace zp::rt {

Status check(const ActivationGradientArgs &args) {
  return Checker(args)
      .operands({{&args.gradSource, &args.gradOut}, {&args.gradSource, &args.source}})
      .attribute("kind", args.kind, 0, kActivations - 1)
      .dtype(args.source, kComputeDTypes)
      .dtype(args.gradOut, {args.source.dtype})
      .dtype(args.gradSource, {args.source.dtype})
      .sameElements(args.gradOut, args.source)
      .sameElements(args.gradSource, args.source)
      .status();
}

} // namespace zp::rt
