#include "runtime/generation/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/kernels/philox.h"

namespace zp::rt {

namespace {

/// Those below the k-th largest go; ties with it stay.
void keepLargest(std::vector<double> &scores, uint64_t k) {
  if (k == 0 || k >= scores.size())
    return;
  std::vector<double> sorted = scores;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(k - 1), sorted.end(), std::greater<>());
  const double least = sorted[k - 1];
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

/// Probabilities of what is left become those of a whole.
void rescale(std::vector<double> &probabilities, double left) {
  for (double &probability : probabilities)
    probability /= left;
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
  rescale(probabilities, left);
}

/// Those go that are less probable than a share of the most probable one.
void keepLikely(std::vector<double> &probabilities, double share) {
  const double least = share * *std::max_element(probabilities.begin(), probabilities.end());
  double left = 0;
  for (double &probability : probabilities)
    left += probability = probability < least ? 0 : probability;
  rescale(probabilities, left);
}

} // namespace

std::vector<double> distributionOf(std::span<const float> given, const GenerationSettings &settings) {
  std::vector<double> scores(given.begin(), given.end());
  for (double &score : scores)
    score /= settings.temperature;
  keepLargest(scores, settings.top_k);
  normalize(scores);
  keepNucleus(scores, settings.top_p);
  if (settings.min_p)
    keepLikely(scores, *settings.min_p);
  return scores;
}

int32_t nextToken(std::span<const float> scores, const GenerationSettings &settings, DrawKey key) {
  if (!settings.do_sample)
    return static_cast<int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  const std::vector<double> probabilities = distributionOf(scores, settings);
  const auto words = philox4x32({key.step, key.row, 0, 0}, {static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32)});
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
