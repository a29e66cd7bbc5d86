#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const LayerNormArgs &args) {
  int64_t rows = args.source.dims[0], width = args.source.dims[1];
  auto count = static_cast<double>(width);
  for (int64_t row = 0; row < rows; ++row) {
    double mean = 0, variance = 0;
    for (int64_t d = 0; d < width; ++d)
      mean += loadElement(args.source, row * width + d) / count;
    for (int64_t d = 0; d < width; ++d) {
      double difference = loadElement(args.source, row * width + d) - mean;
      variance += difference * difference / count;
    }
    double rstd = 1 / std::sqrt(variance + args.epsilon);
    storeElement(args.mean, row, mean);
    storeElement(args.rstd, row, rstd);
    for (int64_t d = 0; d < width; ++d) {
      double normalised = (loadElement(args.source, row * width + d) - mean) * rstd;
      storeElement(args.target, row * width + d, loadElement(args.weight, d) * normalised + loadElement(args.bias, d));
    }
  }
}

} // namespace zp::rt::reference
