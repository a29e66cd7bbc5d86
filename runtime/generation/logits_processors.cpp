#include "runtime/generation/logits_processors.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace zp::rt {

namespace {

using Tokens = std::span<const int32_t>;

void setScores(std::span<float> scores, Tokens tokens, float value) {
  for (int32_t token : tokens)
    if (token >= 0 && static_cast<size_t>(token) < scores.size())
      scores[static_cast<size_t>(token)] = value;
}

/// Tokens that have been said become less probable, each once.
void penalize(std::span<float> scores, Tokens said, double penalty) {
  const auto factor = static_cast<float>(penalty);
  for (int32_t token : std::set<int32_t>(said.begin(), said.end()))
    if (static_cast<size_t>(token) < scores.size()) {
      float &score = scores[static_cast<size_t>(token)];
      score = score < 0 ? score * factor : score / factor;
    }
}

/// Forbids what would end `text` with `size` tokens in a row that `said` has somewhere.
void forbidRepeats(std::span<float> scores, Tokens text, Tokens said, uint64_t size) {
  if (size == 0 || text.size() + 1 < size || said.size() < size)
    return;
  const Tokens beginning = text.last(size - 1);
  for (size_t at = 0; at + size <= said.size(); ++at)
    if (std::equal(beginning.begin(), beginning.end(), said.begin() + static_cast<std::ptrdiff_t>(at)))
      setScores(scores, said.subspan(at + size - 1, 1), -INFINITY);
}

void force(std::span<float> scores, Tokens tokens) {
  std::fill(scores.begin(), scores.end(), -INFINITY);
  setScores(scores, tokens, 0);
}

} // namespace

void processLogits(std::span<float> scores, const GenerationSettings &s, const TextSoFar &text) {
  const uint64_t length = text.tokens.size();
  if (s.repetition_penalty != 1)
    penalize(scores, text.tokens, s.repetition_penalty);
  if (length >= s.no_repeat_ngram_size)
    forbidRepeats(scores, text.tokens, text.tokens, s.no_repeat_ngram_size);
  forbidRepeats(scores, text.tokens, text.source, s.encoder_no_repeat_ngram_size);
  // min_new_tokens stands for min_length where it is given.
  const uint64_t least = s.min_new_tokens ? text.promptLength + *s.min_new_tokens : s.min_length;
  if (length < least)
    setScores(scores, s.eos_token_id, -INFINITY);
  if (s.forced_bos_token_id && length == 1)
    force(scores, {&*s.forced_bos_token_id, 1});
  if (!s.forced_eos_token_id.empty() && length + 1 == text.maxLength)
    force(scores, s.forced_eos_token_id);
  setScores(scores, s.suppress_tokens, -INFINITY);
  const bool afterForced = text.promptLength == 1 && s.forced_bos_token_id.has_value();
  if (length == text.promptLength + (afterForced ? 1 : 0))
    setScores(scores, s.begin_suppress_tokens, -INFINITY);
}

} // namespace zp::rt
