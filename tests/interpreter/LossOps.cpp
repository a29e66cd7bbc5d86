#include "tests/interpreter/OpMath.h"

#include <algorithm>
#include <cmath>

namespace zp::interpreter {

// The target of token t: the next label of the same row, or kNotCounted.
static int64_t targetOf(const Tensor &labels, int64_t t, int64_t length) {
  return (t + 1) % length == 0 ? kNotCounted : static_cast<int64_t>(labels[t + 1]);
}

int64_t countTargets(const Tensor &labels, int64_t length) {
  int64_t count = 0;
  for (int64_t t = 0; t < labels.size(); ++t)
    count += targetOf(labels, t, length) != kNotCounted;
  return count;
}

LossSums linearCrossEntropy(const Tensor &hidden, const Tensor &weight, const Tensor &labels, int64_t length, Tensor *hiddenGradient,
                            Tensor *weightGradient, double lossScale) {
  int64_t vocabulary = weight.rows(), width = weight.columns();
  if (hiddenGradient)
    *hiddenGradient = Tensor(hidden.shape);
  if (weightGradient)
    *weightGradient = Tensor(weight.shape);
  LossSums sums;
  sums.rows.resize(static_cast<size_t>(hidden.rows() / length));
  std::vector<double> logits(static_cast<size_t>(vocabulary));
  for (int64_t t = 0; t < hidden.rows(); ++t) {
    int64_t target = targetOf(labels, t, length);
    if (target == kNotCounted)
      continue;
    for (int64_t v = 0; v < vocabulary; ++v) {
      double sum = 0;
      for (int64_t d = 0; d < width; ++d)
        sum += hidden.at(t, d) * weight.at(v, d);
      logits[static_cast<size_t>(v)] = sum;
    }
    double largest = *std::max_element(logits.begin(), logits.end()), sum = 0;
    for (double logit : logits)
      sum += std::exp(logit - largest);
    double logSumExp = largest + std::log(sum);
    const double loss = logSumExp - logits[static_cast<size_t>(target)];
    const bool hit = std::max_element(logits.begin(), logits.end()) - logits.begin() == target;
    auto &[rowLoss, rowHits] = sums.rows[static_cast<size_t>(t / length)];
    sums.loss += loss, rowLoss += loss;
    sums.hits += hit, rowHits += hit;
    for (int64_t v = 0; v < vocabulary; ++v) {
      double g = lossScale * (std::exp(logits[static_cast<size_t>(v)] - logSumExp) - (v == target ? 1 : 0));
      for (int64_t d = 0; d < width; ++d) {
        if (hiddenGradient)
          hiddenGradient->at(t, d) += g * weight.at(v, d);
        if (weightGradient)
          weightGradient->at(v, d) += g * hidden.at(t, d);
      }
    }
  }
  return sums;
}

} // namespace zp::interpreter
