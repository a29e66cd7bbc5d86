#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const LayerNormGradientArgs &args) {
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  auto normalised = [&](int64_t row, int64_t d) {
    return (loadElement(args.source, row * width + d) - loadElement(args.mean, row)) * loadElement(args.rstd, row);
  };
  // First the parameters' gradients: grad_source may be grad_out's memory.
  for (int64_t d = 0; d < width; ++d) {
    double weight = 0, bias = 0;
    for (int64_t row = 0; row < rows; ++row) {
      weight += loadElement(args.gradOut, row * width + d) * normalised(row, d);
      bias += loadElement(args.gradOut, row * width + d);
    }
    if (args.gradWeight)
      storeElement(args.gradWeight, d, loadElement(args.gradWeight, d) + weight);
    if (args.gradBias)
      storeElement(args.gradBias, d, loadElement(args.gradBias, d) + bias);
  }
  for (int64_t row = 0; row < rows; ++row) {
    double mean = 0, along = 0; // of h = grad_out·weight, and of h·n
    for (int64_t d = 0; d < width; ++d) {
      double h = loadElement(args.gradOut, row * width + d) * loadElement(args.weight, d);
      mean += h / static_cast<double>(width);
      along += h * normalised(row, d) / static_cast<double>(width);
    }
    for (int64_t d = 0; d < width; ++d) {
      int64_t i = row * width + d;
      double h = loadElement(args.gradOut, i) * loadElement(args.weight, d);
      double gradient = loadElement(args.rstd, row) * (h - mean - normalised(row, d) * along);
      storeElement(args.gradSource, i, gradient + (args.residualGradient ? loadElement(args.residualGradient, i) : 0));
    }
  }
}

} // namespace zp::rt::reference
