#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const ColumnSumArgs &args) {
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  for (int64_t d = 0; d < width; ++d) {
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row)
      sum += loadElement(args.source, row * width + d);
    storeElement(args.target, d, loadElement(args.target, d) + sum);
  }
}

} // namespace zp::rt::reference
