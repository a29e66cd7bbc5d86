#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const SumSquaresArgs &args) {
  double sum = 0;
  for (int64_t i = 0; i < args.source.elements(); ++i)
    sum += loadElement(args.source, i) * loadElement(args.source, i);
  *args.target.as<double>() += sum;
}

} // namespace zp::rt::reference
