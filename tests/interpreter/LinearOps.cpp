#include "tests/interpreter/OpMath.h"

namespace zp::interpreter {

void addLinear(const Tensor &x, const Tensor &weight, double alpha, Tensor &result) {
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t n = 0; n < weight.rows(); ++n)
      for (int64_t k = 0; k < x.columns(); ++k)
        result.at(t, n) += alpha * x.at(t, k) * weight.at(n, k);
}

void addLinearInputGradient(const Tensor &gradient, const Tensor &weight, double alpha, Tensor &result) {
  for (int64_t t = 0; t < gradient.rows(); ++t)
    for (int64_t k = 0; k < weight.columns(); ++k)
      for (int64_t n = 0; n < weight.rows(); ++n)
        result.at(t, k) += alpha * gradient.at(t, n) * weight.at(n, k);
}

Tensor linear(const Tensor &x, const Tensor &weight, MaybeTensor bias, MaybeTensor addend, double alpha) {
  Tensor result({x.rows(), weight.rows()});
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t n = 0; n < weight.rows(); ++n) {
      double sum = 0;
      for (int64_t k = 0; k < x.columns(); ++k)
        sum += x.at(t, k) * weight.at(n, k);
      result.at(t, n) = alpha * sum + (bias ? (*bias)[n] : 0) + (addend ? addend->at(t, n) : 0);
    }
  return result;
}

Tensor linearInputGradient(const Tensor &gradient, const Tensor &weight, MaybeTensor addend, double alpha) {
  Tensor result({gradient.rows(), weight.columns()});
  for (int64_t t = 0; t < gradient.rows(); ++t)
    for (int64_t k = 0; k < weight.columns(); ++k) {
      double sum = 0;
      for (int64_t n = 0; n < weight.rows(); ++n)
        sum += gradient.at(t, n) * weight.at(n, k);
      result.at(t, k) = alpha * sum + (addend ? addend->at(t, k) : 0);
    }
  return result;
}

Tensor linearWeightGradient(const Tensor &gradient, const Tensor &x, double alpha) {
  Tensor result({gradient.columns(), x.columns()});
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t n = 0; n < gradient.columns(); ++n)
      for (int64_t k = 0; k < x.columns(); ++k)
        result.at(n, k) += alpha * gradient.at(t, n) * x.at(t, k);
  return result;
}

Tensor columnSum(const Tensor &source) {
  Tensor result({source.columns()});
  for (int64_t t = 0; t < source.rows(); ++t)
    for (int64_t n = 0; n < source.columns(); ++n)
      result[n] += source.at(t, n);
  return result;
}

Tensor embedding(const Tensor &ids, const Tensor &table, int64_t offset) {
  Tensor result({ids.size(), table.columns()});
  for (int64_t t = 0; t < ids.size(); ++t)
    for (int64_t d = 0; d < table.columns(); ++d)
      result.at(t, d) = table.at(static_cast<int64_t>(ids[t]) + offset, d);
  return result;
}

Tensor embeddingGradient(const Tensor &ids, const Tensor &gradient, int64_t offset, int64_t padding, int64_t vocabulary) {
  Tensor result({vocabulary, gradient.columns()});
  for (int64_t t = 0; t < ids.size(); ++t)
    for (int64_t d = 0; d < gradient.columns() && static_cast<int64_t>(ids[t]) != padding; ++d)
      result.at(static_cast<int64_t>(ids[t]) + offset, d) += gradient.at(t, d);
  return result;
}

} // namespace zp::interpreter
