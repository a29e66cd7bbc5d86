#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const SiluMulArgs &args) {
  for (int64_t i = 0; i < args.gate.elements(); ++i) {
    double gate = loadElement(args.gate, i);
    storeElement(args.target, i, roundTo(args.gate.dtype, gate / (1 + std::exp(-gate))) * loadElement(args.up, i));
  }
}

} // namespace zp::rt::reference
