#include "runtime/generation/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "runtime/kernels/philox.h"

namespace zp::rt {

namespace {

/// Tokens that have been said become less probable, each once.
void penalize(std::span<float> logits, std::span<const int32_t> history, double penalty) {
  const auto factor = static_cast<float>(penalty);
  for (int32_t token : std::set<int32_t>(history.begin(), history.end()))
    if (static_cast<size_t>(token) < logits.size()) {
      float &logit = logits[static_cast<size_t>(token)];
      logit = logit < 0 ? logit * factor : logit / factor;
    }
}

/// Those below the k-th largest go; ties with it stay.
void keepLargest(std::vector<double> &scores, int64_t k) {
  if (k <= 0 || static_cast<size_t>(k) >= scores.size())
    return;
  std::vector<double> sorted = scores;
  std::nth_element(sorted.begin(), sorted.begin() + (k - 1), sorted.end(), std::greater<>());
  const double least = sorted[static_cast<size_t>(k - 1)];
  for (double &score : scores)
    if (score < least)
      score = -INFINITY;
}

/// Scores become probabilities.
void normalize(std::vector<double> &scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double &score : scores)
    sum += score = std::exp(score - largest);
  for (double &score : scores)
    score /= sum;
}

/// The least probable tokens go whose sum is at most 1 - p; one stays in any case.
void keepNucleus(std::vector<double> &probabilities, double p) {
  if (p >= 1)
    return;
  std::vector<uint32_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return probabilities[a] < probabilities[b]; });
  double sum = 0, left = 1;
  for (size_t i = 0; i + 1 < order.size() && (sum += probabilities[order[i]]) <= 1 - p; ++i) {
    left -= probabilities[order[i]];
    probabilities[order[i]] = 0;
  }
  for (double &probability : probabilities)
    probability /= left;
}

} // namespace

std::vector<double> distributionOf(std::span<const float> logits, const GenerationSettings &settings) {
  std::vector<double> scores(logits.begin(), logits.end());
  for (double &score : scores)
    score /= settings.temperature;
  keepLargest(scores, settings.topK);
  normalize(scores);
  keepNucleus(scores, settings.topP);
  return scores;
}

int32_t nextToken(std::span<float> logits, std::span<const int32_t> history, const GenerationSettings &settings, DrawKey key) {
  if (settings.repetitionPenalty != 1)
    penalize(logits, history, settings.repetitionPenalty);
  if (!settings.sample)
    return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  const std::vector<double> probabilities = distributionOf(logits, settings);
  const auto words =
      philox4x32({key.step, key.row, 0, 0}, {static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32)});
  const double draw = (static_cast<double>(words[0]) * 0x1p32 + words[1]) * 0x1p-64;
  double sum = 0;
  int32_t last = 0; // rounding may leave the sum below the draw
  for (size_t token = 0; token < probabilities.size(); ++token) {
    if (probabilities[token] == 0)
      continue;
    last = static_cast<int32_t>(token);
    if ((sum += probabilities[token]) > draw)
      break;
  }
  return last;
}

} // namespace zp::rt
