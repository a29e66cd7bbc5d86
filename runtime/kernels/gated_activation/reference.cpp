#include "runtime/base/numeric.h"
#include "runtime/kernels/activation_reference.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const GatedActivationArgs &args) {
  for (int64_t i = 0; i < args.gate.elements(); ++i)
    storeElement(args.target, i, roundTo(args.gate.dtype, activated(args.kind, loadElement(args.gate, i))) * loadElement(args.up, i));
}

} // namespace zp::rt::reference
