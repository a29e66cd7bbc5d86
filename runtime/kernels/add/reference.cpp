#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const AddArgs &args) {
  for (int64_t i = 0; i < args.a.elements(); ++i)
    storeElement(args.target, i, loadElement(args.a, i) + loadElement(args.b, i));
}

} // namespace zp::rt::reference
