// The entries of a plan that generates, with the memory of what they take and give.
#ifndef ZP_RUNTIME_GENERATION_GENERATING_PLAN_H
#define ZP_RUNTIME_GENERATION_GENERATING_PLAN_H

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/executor/executor.h"
#include "runtime/schema/settings.h"
#include "runtime/trainer/plan_entries.h"

namespace zp::rt {

/// An entry that takes rows of tokens: of a prompt, or of a source; of `decode` a row has a token of each beam.
struct TokenPass {
  uint32_t index = 0;
  uint64_t rows = 0, length = 0;
  int32_t *ids = nullptr;
  int32_t *positions = nullptr; ///< null where an encoder has no use for them
  int32_t *segments = nullptr;  ///< [rows · length]: 0, padding -1; of an encoder-decoder

  /// Token `i` of a row and its place; in a cache one at place -1 is padding.
  void put(uint64_t row, uint64_t i, int32_t id, int64_t place) const;
  void pad(uint64_t row, uint64_t i) const { put(row, i, 0, -1); }
};

/// Beam b of prompt p has the row p · beams + b of the caches, of `prefill`, and of decode's logits.
struct GeneratingPlan {
  TokenPass decode;                  ///< [prompts, beams]: a token of each beam
  std::optional<TokenPass> prefill;  ///< of a decoder alone: fills the caches from prompts
  std::optional<TokenPass> encode;   ///< of an encoder-decoder: reads the sources, a row a prompt
  int32_t *sourceSegments = nullptr; ///< what `decode` takes of them, as encode's segments
  std::optional<uint32_t> reorder;   ///< gives each row of the caches what row origins[row] has
  int32_t *origins = nullptr;
  TensorView logits;   ///< of decode: [prompts · beams, vocabulary]
  uint64_t places = 0; ///< tokens of a row in the caches

  uint64_t prompts() const { return decode.rows; }
  uint64_t beams() const { return decode.length; }
  uint64_t rows() const { return decode.rows * decode.length; }

  /// PlanInvalid when one of them is missing or has another shape than it has to have.
  static StatusOr<GeneratingPlan> open(const fbs::Plan &plan, Executor &executor);
};

/// Tokens of a source that an encoder-decoder's plan takes; 0 of a decoder alone.
uint64_t sourceLengthOf(const fbs::Plan &plan);

/// Most beams of a prompt that a plan can keep.
uint64_t beamsOf(const fbs::Plan &plan);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_GENERATING_PLAN_H
