// Prompts as tokens: the input_ids and segment_ids of a token file, a document a row, padding on the right.
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
  std::optional<int32_t> end; ///< the token that ends a row in the chat format that they were made in
};

/// Each row's tokens of segment 0. `longest`: places of a row in the plan's cache, of which one is for a new token.
/// Dataset: a file of another kind, an empty prompt, several documents in a row, a prompt that leaves no room. TokenRange: an id
/// from `vocabulary` on.
StatusOr<Prompts> readPrompts(const std::string &path, uint32_t vocabulary, uint64_t longest);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_PROMPTS_H
