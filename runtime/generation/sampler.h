// From scores to the next token, in the reference's order: temperature, top-k, top-p, min-p, a draw.
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

/// The next token's id, the lowest where several are most probable. `scores`: of processLogits, one of them above -inf.
int32_t nextToken(std::span<const float> scores, const GenerationSettings &settings, DrawKey key);

/// What `nextToken` draws from: the probability of each token that temperature, top-k, top-p and min-p leave, 0 for the others.
std::vector<double> distributionOf(std::span<const float> scores, const GenerationSettings &settings);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_SAMPLER_H
