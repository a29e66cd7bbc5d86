#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const CopyRowsArgs &args) {
  int64_t first = args.scalars.as<StepScalars>()->firstToken;
  int64_t tokens = args.source.dims[0], width = args.source.dims[1];
  for (int64_t row = 0; row < args.target.dims[0]; ++row)
    for (int64_t d = 0; d < width; ++d)
      storeElement(args.target, row * width + d, first + row < tokens ? loadElement(args.source, (first + row) * width + d) : 0);
}

} // namespace zp::rt::reference
