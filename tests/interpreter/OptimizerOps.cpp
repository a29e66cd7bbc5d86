#include "tests/interpreter/OpMath.h"

#include <algorithm>
#include <cmath>

namespace zp::interpreter {

double sumSquares(const Tensor &x) {
  double sum = 0;
  for (double value : x.data)
    sum += value * value;
  return sum;
}

void finishStep(double squareSum, const Tensor &lossSums, const StepScalars &scalars, double maxNorm, Tensor &coefficient, Tensor &metrics) {
  double n = scalars.countedLabels > 0 ? scalars.countedLabels : 1;
  double scaled = n * static_cast<double>(scalars.lossScale), norm = std::sqrt(squareSum) / scaled;
  double clip = maxNorm > 0 ? std::min(1.0, maxNorm / (norm + 1e-6)) : 1.0;
  coefficient = Tensor({1}, std::isfinite(squareSum) ? clip / scaled : 0);
  metrics = Tensor({lossSums.size() + 3});
  metrics.data = {lossSums[0] / n, norm, clip, n};
  if (lossSums.size() == 2)
    metrics.data.push_back(lossSums[1] / n);
}

void adamw(double gradient, const StepScalars &scalars, const AdamwSettings &settings, bool decayed, double &value, double &moment1,
           double &moment2) {
  double rate = scalars.learningRate, correction1 = scalars.biasCorrection1, correction2 = scalars.biasCorrection2;
  if (decayed)
    value *= 1 - rate * settings.weightDecay;
  moment1 += (1 - settings.beta1) * (gradient - moment1);
  moment2 = settings.beta2 * moment2 + (1 - settings.beta2) * gradient * gradient;
  value -= rate / correction1 * moment1 / (std::sqrt(moment2) / std::sqrt(correction2) + settings.epsilon);
}

} // namespace zp::interpreter
