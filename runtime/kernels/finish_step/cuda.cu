#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/language.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::cuda {
namespace {

__global__ void finishStep(const double *squareSum, const double *lossSum, const StepScalars *scalars, float *coefficient, double *metrics,
                           double maxNorm, bool hits) {
  const double counted = scalars->countedLabels == 0 ? 1 : scalars->countedLabels;
  const double scaled = counted * static_cast<double>(scalars->lossScale);
  const double norm = sqrt(*squareSum) / scaled, limit = maxNorm / (norm + 1e-6);
  const double clip = maxNorm > 0 && limit < 1 ? limit : 1;
  const bool finite = *squareSum - *squareSum == 0; // of infinity and NaN that is NaN
  *coefficient = finite ? static_cast<float>(clip / scaled) : 0.0f;
  metrics[0] = lossSum[0] / counted;
  metrics[1] = norm;
  metrics[2] = clip;
  metrics[3] = counted;
  if (hits)
    metrics[4] = lossSum[1] / counted;
}

} // namespace

Status run(const Context &context, const FinishStepArgs &args) {
  launch(context.stream, 1, 1, finishStep, args.squareSum.as<double>(), args.lossSum.as<double>(), args.scalars.as<StepScalars>(),
         args.coefficient.as<float>(), args.metrics.as<double>(), args.maxNorm, args.lossSum.elements() == 2);
  return {};
}

} // namespace zp::rt::cuda
