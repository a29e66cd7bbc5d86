#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const SiluMulGradientArgs &args) {
  for (int64_t i = 0; i < args.gate.elements(); ++i) {
    double gate = loadElement(args.gate, i), up = loadElement(args.up, i), gradOut = loadElement(args.gradOut, i);
    double sigmoid = 1 / (1 + std::exp(-gate));
    storeElement(args.gradGate, i, gradOut * up * sigmoid * (1 + gate * (1 - sigmoid)));
    storeElement(args.gradUp, i, gradOut * roundTo(args.gate.dtype, gate * sigmoid));
  }
}

} // namespace zp::rt::reference
