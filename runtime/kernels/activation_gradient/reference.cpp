#include "runtime/base/numeric.h"
#include "runtime/kernels/activation_reference.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const ActivationGradientArgs &args) {
  for (int64_t i = 0; i < args.source.elements(); ++i)
    storeElement(args.gradSource, i, loadElement(args.gradOut, i) * slopeAt(args.kind, loadElement(args.source, i)));
}

} // namespace zp::rt::reference
