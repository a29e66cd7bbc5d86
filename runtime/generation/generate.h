// Continues prompts by a plan's entries, on every rank at once: `prefill` reads them, or `encode` the source of an
// encoder-decoder model; `decode` makes a token a row; `reorder` follows the beams.
#ifndef ZP_RUNTIME_GENERATION_GENERATE_H
#define ZP_RUNTIME_GENERATION_GENERATE_H

#include <functional>

#include "runtime/executor/executor.h"
#include "runtime/generation/generation_settings.h"
#include "runtime/generation/prompts.h"
#include "runtime/generation/text_search.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

struct GenerateReport {
  std::vector<Continuation> continuations; ///< of every prompt, in their order; on rank 0 alone
  uint64_t promptTokens = 0, newTokens = 0;
  double seconds = 0;
  uint64_t residentPeak = 0; ///< anonymous and shared bytes of this process, the most seen after a round of prompts
};

/// Whether a plan (`path` names it) can do what is asked. Config: more beams than it has room for, a length that a prompt fills
/// already, no token that a decoder could begin with, stop strings without what tokens say. TokenRange: as checkTokens.
Status checkGeneration(const std::string &path, const fbs::Plan &plan, const GenerationSettings &settings, const Prompts &prompts);

/// Hears each new token of a prompt as it is made, on the rank that makes it; `over`: it is the last. For searches without beams,
/// whose texts only grow.
using TokenListener = std::function<void(uint64_t prompt, int32_t token, bool over)>;

/// Every rank calls it after `init`, with the same prompts (readPrompts) and settings (checkGeneration). Prompt i of a round lies
/// on rank i / prompts of a rank; the ranks step together until the last row of any has ended, as they bring each other's
/// weights. NonFinite: logits that aren't numbers.
StatusOr<GenerateReport> generate(const fbs::Plan &plan, const Prompts &prompts, const GenerationSettings &settings, Executor &executor,
                                  Communicator &communicator, const TokenListener &heard = {});

/// A line of JSON for each prompt: {"row": 0, "prompt_tokens": 3, "tokens": [5, 2], "ended": "eos"}, or "length".
std::string linesOf(const Prompts &prompts, const std::vector<Continuation> &continuations);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_GENERATE_H
