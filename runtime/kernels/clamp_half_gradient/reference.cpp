#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/half_clamp.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const ClampHalfGradientArgs &args) {
  for (int64_t i = 0; i < args.gradOut.elements(); ++i)
    storeElement(args.gradSource, i, std::abs(loadElement(args.clamped, i)) == kHalfClamp ? 0 : loadElement(args.gradOut, i));
}

} // namespace zp::rt::reference
