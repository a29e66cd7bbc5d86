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

} // namespace zp::interpreter
