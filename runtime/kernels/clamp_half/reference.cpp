#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/half_clamp.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const ClampHalfArgs &args) {
  for (int64_t i = 0; i < args.source.elements(); ++i) {
    const double x = loadElement(args.source, i);
    storeElement(args.target, i, std::isinf(x) ? std::copysign(double{kHalfClamp}, x) : x);
  }
}

} // namespace zp::rt::reference
