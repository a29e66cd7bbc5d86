#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const RmsNormArgs &args) {
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  for (int64_t row = 0; row < rows; ++row) {
    double squares = 0;
    for (int64_t d = 0; d < width; ++d)
      squares += loadElement(args.source, row * width + d) * loadElement(args.source, row * width + d);
    storeElement(args.rstd, row, 1 / std::sqrt(squares / static_cast<double>(width) + args.epsilon));
    double rstd = loadElement(args.rstd, row);
    for (int64_t d = 0; d < width; ++d) {
      double normalised = roundTo(args.source.dtype, loadElement(args.source, row * width + d) * rstd);
      storeElement(args.target, row * width + d, loadElement(args.weight, d) * normalised);
    }
  }
}

} // namespace zp::rt::reference
