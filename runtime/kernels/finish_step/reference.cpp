#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/step_scalars.h"

#include <algorithm>

namespace zp::rt::reference {

void run(const KernelContext &context, const FinishStepArgs &args) {
  const StepScalars &scalars = *args.scalars.as<StepScalars>();
  const double counted = scalars.countedLabels == 0 ? 1 : scalars.countedLabels, squareSum = *args.squareSum.as<double>();
  const double scaled = counted * static_cast<double>(scalars.lossScale);
  double norm = std::sqrt(squareSum) / scaled;
  double clip = args.maxNorm > 0 ? std::min(1.0, args.maxNorm / (norm + 1e-6)) : 1.0;
  *args.coefficient.as<float>() = std::isfinite(squareSum) ? static_cast<float>(clip / scaled) : 0.0f;
  double *metrics = args.metrics.as<double>();
  metrics[0] = *args.lossSum.as<double>() / counted;
  metrics[1] = norm;
  metrics[2] = clip;
  metrics[3] = counted;
  if (args.lossSum.elements() == 2)
    metrics[4] = args.lossSum.as<double>()[1] / counted;
}

} // namespace zp::rt::reference
