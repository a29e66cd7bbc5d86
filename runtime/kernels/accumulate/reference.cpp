#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const AccumulateArgs &args) {
  for (int64_t i = 0; i < args.source.elements(); ++i)
    storeElement(args.target, i, loadElement(args.target, i) + args.scale * loadElement(args.source, i));
}

} // namespace zp::rt::reference
