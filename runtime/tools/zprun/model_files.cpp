#include "runtime/tools/zprun/model_files.h"

#include <algorithm>
#include <filesystem>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"

namespace zp::rt {

static constexpr const char *kTokenizerFiles[] = {
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model",   "spiece.model", "tekken.json", "vocab.json",
    "merges.txt",     "added_tokens.json",     "chat_template.jinja",     "chat_template.json"};

/// One of them makes a tokenizer.
static constexpr const char *kVocabularies[] = {"tokenizer.json", "tokenizer.model", "spiece.model", "tekken.json", "vocab.json"};

static Status copyFile(const std::string &from, const std::string &to, const char *name) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(from + "/" + name, ignored))
    return {};
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(from + "/" + name));
  return writeFileAtomically(to + "/" + name, text);
}

std::span<const char *const> tokenizerFiles() { return kTokenizerFiles; }

std::string readAsItStands(const std::string &tokenizerConfig) {
  using nlohmann::ordered_json;
  ordered_json config = parseJson<ordered_json>(tokenizerConfig);
  if (!config.is_object())
    return tokenizerConfig;
  const ordered_json named = config.value("tokenizer_class", ordered_json());
  if (named != "LlamaTokenizer" && named != "LlamaTokenizerFast")
    return tokenizerConfig;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return config.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Status copyTokenizer(const std::string &from, const std::string &to) {
  auto has = [&](const char *name) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(from + "/" + name, ignored);
  };
  const bool whole = std::any_of(std::begin(kVocabularies), std::end(kVocabularies), has);
  for (const char *name : kTokenizerFiles)
    if (std::error_code ignored; whole && !has(name))
      std::filesystem::remove(to + "/" + name, ignored);
    else
      ZP_RETURN_IF_ERROR(copyFile(from, to, name));
  return {};
}

Status copyBeside(const std::string &from, const std::string &to) {
  ZP_RETURN_IF_ERROR(copyFile(from, to, "generation_config.json"));
  return copyTokenizer(from, to);
}

} // namespace zp::rt
