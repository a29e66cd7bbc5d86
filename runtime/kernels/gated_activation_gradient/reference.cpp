#include "runtime/base/numeric.h"
#include "runtime/kernels/activation_reference.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const GatedActivationGradientArgs &args) {
  for (int64_t i = 0; i < args.gate.elements(); ++i) {
    double gate = loadElement(args.gate, i), up = loadElement(args.up, i), gradOut = loadElement(args.gradOut, i);
    storeElement(args.gradGate, i, gradOut * up * slopeAt(args.kind, gate));
    storeElement(args.gradUp, i, gradOut * roundTo(args.gate.dtype, activated(args.kind, gate)));
  }
}

} // namespace zp::rt::reference
