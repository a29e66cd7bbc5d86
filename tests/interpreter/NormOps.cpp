#include "tests/interpreter/OpMath.h"

#include <cmath>

namespace zp::interpreter {

void rmsNorm(const Tensor &x, const Tensor &weight, double epsilon, Tensor &result, Tensor &rstd) {
  result = x;
  rstd = Tensor({x.rows()});
  for (int64_t r = 0; r < x.rows(); ++r) {
    double squares = 0;
    for (int64_t d = 0; d < x.columns(); ++d)
      squares += x.at(r, d) * x.at(r, d);
    rstd[r] = 1 / std::sqrt(squares / static_cast<double>(x.columns()) + epsilon);
    for (int64_t d = 0; d < x.columns(); ++d)
      result.at(r, d) = weight[d] * (x.at(r, d) * rstd[r]);
  }
}

Tensor rmsNormGradient(const Tensor &gradient, const Tensor &x, const Tensor &weight, const Tensor &rstd, MaybeTensor residual,
                       Tensor *weightGradient) {
  Tensor result = x;
  if (weightGradient)
    *weightGradient = Tensor({x.columns()});
  for (int64_t r = 0; r < x.rows(); ++r) {
    double mean = 0; // of h·n, with n = x·rstd and h = gradient·weight
    for (int64_t d = 0; d < x.columns(); ++d)
      mean += gradient.at(r, d) * weight[d] * x.at(r, d) * rstd[r];
    mean /= static_cast<double>(x.columns());
    for (int64_t d = 0; d < x.columns(); ++d) {
      double n = x.at(r, d) * rstd[r];
      result.at(r, d) = rstd[r] * (gradient.at(r, d) * weight[d] - n * mean) + (residual ? residual->at(r, d) : 0);
      if (weightGradient)
        (*weightGradient)[d] += gradient.at(r, d) * n;
    }
  }
  return result;
}

void layerNorm(const Tensor &x, const Tensor &weight, const Tensor &bias, double epsilon, Tensor &result, Tensor &mean, Tensor &rstd) {
  result = x;
  mean = rstd = Tensor({x.rows()});
  auto count = static_cast<double>(x.columns());
  for (int64_t r = 0; r < x.rows(); ++r) {
    double variance = 0;
    for (int64_t d = 0; d < x.columns(); ++d)
      mean[r] += x.at(r, d) / count;
    for (int64_t d = 0; d < x.columns(); ++d)
      variance += std::pow(x.at(r, d) - mean[r], 2) / count;
    rstd[r] = 1 / std::sqrt(variance + epsilon);
    for (int64_t d = 0; d < x.columns(); ++d)
      result.at(r, d) = weight[d] * ((x.at(r, d) - mean[r]) * rstd[r]) + bias[d];
  }
}

Tensor layerNormGradient(const Tensor &gradient, const Tensor &x, const Tensor &weight, const Tensor &mean, const Tensor &rstd, MaybeTensor residual,
                         Tensor *weightGradient, Tensor *biasGradient) {
  Tensor result = x;
  for (Tensor *parameter : {weightGradient, biasGradient})
    if (parameter)
      *parameter = Tensor({x.columns()});
  auto count = static_cast<double>(x.columns());
  for (int64_t r = 0; r < x.rows(); ++r) {
    double meanOfH = 0, meanAlong = 0; // of h and of h·n, with n = (x - mean)·rstd and h = gradient·weight
    for (int64_t d = 0; d < x.columns(); ++d) {
      meanOfH += gradient.at(r, d) * weight[d] / count;
      meanAlong += gradient.at(r, d) * weight[d] * (x.at(r, d) - mean[r]) * rstd[r] / count;
    }
    for (int64_t d = 0; d < x.columns(); ++d) {
      double n = (x.at(r, d) - mean[r]) * rstd[r];
      result.at(r, d) = rstd[r] * (gradient.at(r, d) * weight[d] - meanOfH - n * meanAlong) + (residual ? residual->at(r, d) : 0);
      if (weightGradient)
        (*weightGradient)[d] += gradient.at(r, d) * n;
      if (biasGradient)
        (*biasGradient)[d] += gradient.at(r, d);
    }
  }
  return result;
}

} // namespace zp::interpreter
