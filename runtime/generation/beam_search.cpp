#include "runtime/generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zp::rt {

namespace {

/// What is taken from a score that shall not win: far below any log-probability, and above -inf, a forbidden token's.
constexpr float kOut = -1e9f;

/// The indices of the `count` largest scores, the largest first, the earlier of equal ones.
template <typename Score> std::vector<uint64_t> largest(uint64_t size, uint64_t count, Score score) {
  std::vector<uint64_t> order(size);
  std::iota(order.begin(), order.end(), uint64_t{0});
  count = std::min(count, size);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), [&](uint64_t a, uint64_t b) {
    const float left = score(a), right = score(b);
    return left > right || (left == right && a < b);
  });
  order.resize(count);
  return order;
}

} // namespace

void logSoftmax(std::span<float> logits) {
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(static_cast<double>(logit - most));
  const auto share = static_cast<float>(std::log(sum));
  for (float &logit : logits)
    logit = logit - most - share;
}

BeamSearch::BeamSearch(std::span<const int32_t> prompt, const GenerationSettings &settings, uint64_t maxLength, TextEnds ends)
    : settings(settings), promptLength(prompt.size()), maxLength(maxLength), ends(std::move(ends)), length(prompt.size()) {
  // All beams begin alike: one of them alone may go on, so that not all say the same.
  for (uint64_t beam = 0; beam < settings.num_beams; ++beam)
    running.push_back({{prompt.begin(), prompt.end()}, beam == 0 ? 0 : kOut, beam, false});
  finished.assign(settings.num_beams, {{prompt.begin(), prompt.end()}, kOut, 0, false});
}

void BeamSearch::step(std::span<const float> scores) {
  const std::vector<Beam> candidates = bestContinuations(scores);
  keepRunning(candidates);
  keepFinished(candidates);
  ++length;
  checkWhetherOver(candidates);
}

/// Enough of them that beams are left to go on when the best ones have ended.
std::vector<BeamSearch::Beam> BeamSearch::bestContinuations(std::span<const float> scores) const {
  const uint64_t vocabulary = scores.size() / running.size();
  const uint64_t kept = std::max<uint64_t>(2, 1 + settings.eos_token_id.size()) * running.size();
  auto score = [&](uint64_t i) { return scores[i] + running[i / vocabulary].score; };
  std::vector<Beam> candidates;
  for (uint64_t i : largest(scores.size(), kept, score)) {
    Beam next{running[i / vocabulary].tokens, score(i), i / vocabulary, false};
    next.tokens.push_back(static_cast<int32_t>(i % vocabulary));
    next.ended = next.tokens.size() >= maxLength || ends(next.tokens);
    candidates.push_back(std::move(next));
  }
  return candidates;
}

void BeamSearch::keepRunning(const std::vector<Beam> &candidates) {
  auto score = [&](uint64_t i) { return candidates[i].score + (candidates[i].ended ? kOut : 0.0f); };
  std::vector<Beam> next;
  for (uint64_t i : largest(candidates.size(), running.size(), score)) {
    next.push_back(candidates[i]);
    next.back().score = score(i);
  }
  running = std::move(next);
}

void BeamSearch::keepFinished(const std::vector<Beam> &candidates) {
  const float share = lengthShare(length + 1 - promptLength);
  const bool full = settings.early_stopping == EarlyStopping::Yes && allFinished();
  std::vector<Beam> all = finished;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Beam next = candidates[i];
    next.ended &= i < running.size(); // the others are there to go on alone
    next.score /= share;
    for (bool out : {full, !canImprove, !next.ended})
      next.score += out ? kOut : 0.0f;
    all.push_back(std::move(next));
  }
  std::vector<Beam> next;
  for (uint64_t i : largest(all.size(), finished.size(), [&](uint64_t i) { return all[i].score; }))
    next.push_back(all[i]);
  finished = std::move(next);
}

void BeamSearch::checkWhetherOver(const std::vector<Beam> &candidates) {
  const bool longest = settings.early_stopping == EarlyStopping::Never && settings.length_penalty > 0;
  const float hoped = running[0].score / lengthShare((longest ? maxLength : length) - promptLength);
  const float worst = std::min_element(finished.begin(), finished.end(), [](const Beam &a, const Beam &b) { return a.score < b.score; })->score;
  canImprove &= std::any_of(finished.begin(), finished.end(), [&](const Beam &beam) { return hoped > (beam.ended ? worst : kOut); });
  const bool full = settings.early_stopping == EarlyStopping::Yes && allFinished();
  const bool goesOn = !std::all_of(candidates.begin(), candidates.end(), [](const Beam &beam) { return beam.ended; });
  isOver = !canImprove || full || !goesOn;
}

float BeamSearch::lengthShare(uint64_t newTokens) const {
  return static_cast<float>(std::pow(static_cast<double>(newTokens), settings.length_penalty));
}

bool BeamSearch::allFinished() const {
  return std::all_of(finished.begin(), finished.end(), [](const Beam &beam) { return beam.ended; });
}

} // namespace zp::rt
