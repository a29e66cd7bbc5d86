#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const FillArgs &args) {
  for (int64_t i = 0; i < args.target.elements(); ++i)
    storeElement(args.target, i, args.value);
}

} // namespace zp::rt::reference
