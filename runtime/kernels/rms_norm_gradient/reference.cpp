#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const RmsNormGradientArgs &args) {
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  // First the weight's gradient: grad_source may be grad_out's memory.
  if (args.gradWeight)
    for (int64_t d = 0; d < width; ++d) {
      double sum = 0;
      for (int64_t row = 0; row < rows; ++row)
        sum += loadElement(args.gradOut, row * width + d) *
               roundTo(args.source.dtype, loadElement(args.source, row * width + d) * loadElement(args.rstd, row));
      storeElement(args.gradWeight, d, loadElement(args.gradWeight, d) + sum);
    }
  for (int64_t row = 0; row < rows; ++row) {
    double rstd = loadElement(args.rstd, row), mean = 0;
    for (int64_t d = 0; d < width; ++d)
      mean += loadElement(args.gradOut, row * width + d) * loadElement(args.weight, d) * loadElement(args.source, row * width + d) * rstd /
              static_cast<double>(width);
    for (int64_t d = 0; d < width; ++d) {
      int64_t i = row * width + d;
      double gradient = rstd * (loadElement(args.gradOut, i) * loadElement(args.weight, d) - loadElement(args.source, i) * rstd * mean);
      if (args.residualGradient)
        gradient += loadElement(args.residualGradient, i);
      storeElement(args.gradSource, i, gradient);
    }
  }
}

} // namespace zp::rt::reference
