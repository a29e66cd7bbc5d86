// Prompts as tokens: the input_ids and segment_ids of a token file, or their namesakes of an encoder, a document a row, padding
// on one side.
#ifndef ZP_RUNTIME_GENERATION_PROMPTS_H
#define ZP_RUNTIME_GENERATION_PROMPTS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt {

struct Prompts {
  std::vector<std::vector<int32_t>> rows;
  std::optional<int32_t> end;          ///< the token that ends a text in the form that they were made in
  std::optional<int32_t> start;        ///< the one that a decoder begins with
  std::vector<std::string> tokenTexts; ///< of each token of the tokenizer, in UTF-8; empty unless the file has them
};

/// What a plan takes.
struct PromptRoom {
  uint64_t most = 0;      ///< tokens of a prompt
  bool ofEncoder = false; ///< the prompts are the sources of an encoder-decoder
};

/// Each row's tokens of segment 0: `input_ids`, or `source_ids` of a file that has an encoder's side.
/// Dataset: a file of another kind, an empty prompt, several documents in a row, a prompt that is too long. TokenRange: an id
/// from `vocabulary` on.
StatusOr<Prompts> readPrompts(const std::string &path, uint32_t vocabulary, const PromptRoom &room);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_PROMPTS_H
