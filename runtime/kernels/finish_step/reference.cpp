#include "runtime/kernels/kernels.h"
#include "runtime/kernels/numeric.h"
#include "runtime/schema/step_scalars.h"

#include <algorithm>

namespace zp::rt::reference {

void run(const KernelContext &context, const FinishStepArgs &args) {
  double counted = args.scalars.as<StepScalars>()->countedLabels;
  if (counted == 0)
    counted = 1;
  double norm = std::sqrt(*args.squareSum.as<double>()) / counted;
  double clip = args.maxNorm > 0 ? std::min(1.0, args.maxNorm / (norm + 1e-6)) : 1.0;
  *args.coefficient.as<float>() = static_cast<float>(clip / counted);
  double *metrics = args.metrics.as<double>();
  metrics[0] = *args.lossSum.as<double>() / counted;
  metrics[1] = norm;
  metrics[2] = clip;
  metrics[3] = counted;
  if (args.lossSum.elements() == 2)
    metrics[4] = args.lossSum.as<double>()[1] / counted;
}

} // namespace zp::rt::reference
