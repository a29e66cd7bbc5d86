// The tokens that a tokenizer begins, ends and fills texts with, and config.json and generation_config.json that are to name them.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_SPECIAL_TOKENS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_SPECIAL_TOKENS_H

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace zp::rt {

struct SpecialTokens {
  std::optional<int64_t> end = {}, begin = {}, padding = {};
};

/// By tokenizer_config.json (special_tokens_map.json where it is silent) and tokenizer.json of a directory. None where these files are absent,
/// broken, or name a token that isn't one of theirs: whoever needs a tokenizer complains of them.
SpecialTokens specialTokensOf(const std::string &directory);

/// As transformers' Trainer aligns both when it has a tokenizer: a token that the tokenizer names goes into eos_token_id, bos_token_id and
/// pad_token_id. Other ends of a text stay where there is a list of them, and in `generation` in any case.
void alignSpecialTokens(const SpecialTokens &tokens, nlohmann::ordered_json &config, nlohmann::ordered_json &generation);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_SPECIAL_TOKENS_H
