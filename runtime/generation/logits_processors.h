// What may be said next: the scores of tokens that are forbidden, forced or made less probable.
#ifndef ZP_RUNTIME_GENERATION_LOGITS_PROCESSORS_H
#define ZP_RUNTIME_GENERATION_LOGITS_PROCESSORS_H

#include <cstdint>
#include <span>

#include "runtime/generation/generation_settings.h"

namespace zp::rt {

/// A text on its way.
struct TextSoFar {
  std::span<const int32_t> tokens; ///< prompt and new ones; of an encoder-decoder model the decoder's, its start included
  std::span<const int32_t> source; ///< the encoder's tokens; of other models the prompt
  uint64_t promptLength = 0;       ///< of `tokens`, how many were given
  uint64_t maxLength = 0;          ///< where it ends
};

/// Changes the scores of the next token as the settings say, in the reference's order: repetition, n-grams, least lengths, forced
/// tokens, suppressed ones. `scores`: logits, or with beams log-probabilities, of every token of the vocabulary; -inf: never.
void processLogits(std::span<float> scores, const GenerationSettings &settings, const TextSoFar &text);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_LOGITS_PROCESSORS_H
