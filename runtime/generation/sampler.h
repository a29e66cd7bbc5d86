// From logits to the next token, in the reference's order: repetition penalty, temperature, top-k, top-p, a draw.
#ifndef ZP_RUNTIME_GENERATION_SAMPLER_H
#define ZP_RUNTIME_GENERATION_SAMPLER_H

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/generation/generation_settings.h"

namespace zp::rt {

/// What a draw is keyed by: a row's text depends neither on the rows beside it nor on the number of ranks.
struct DrawKey {
  uint64_t seed = 0;
  uint32_t row = 0;  ///< of the prompts
  uint32_t step = 0; ///< new tokens before this one
};

/// The next token's id, the lowest where several are most probable. `history`: the row's tokens so far, prompt and new. The
/// logits are finite, and are changed.
int32_t nextToken(std::span<float> logits, std::span<const int32_t> history, const GenerationSettings &settings, DrawKey key);

/// What `nextToken` draws from: the probability of each token that temperature, top-k and top-p leave, 0 for the others.
std::vector<double> distributionOf(std::span<const float> logits, const GenerationSettings &settings);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_SAMPLER_H
