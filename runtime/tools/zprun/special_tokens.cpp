#include "runtime/tools/zprun/special_tokens.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "runtime/tools/zprun/model_files.h"

namespace zp::rt {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

/// An object, empty where there is none to be read.
json objectOf(const std::string &path) {
  StatusOr<json> found = readObject(path);
  return found.ok() ? *found : json::object();
}

/// "</s>", or an object that has it as `content`.
std::string textOf(const json &config, const char *name) {
  json token = config.value(name, json());
  if (token.is_object())
    token = token.value("content", json());
  return token.is_string() ? token.get<std::string>() : "";
}

/// `config` is tokenizer_config.json, which may have tokens that tokenizer.json lacks.
std::optional<int64_t> numberOf(const json &tokenizer, const json &config, const std::string &text) {
  const json decoder = config.value("added_tokens_decoder", json::object());
  if (decoder.is_object())
    for (const auto &[number, token] : decoder.items())
      if (token.is_object() && token.value("content", json()) == text)
        return std::strtoll(number.c_str(), nullptr, 10);
  for (const json &added : tokenizer.value("added_tokens", json::array()))
    if (added.is_object() && added.value("content", json()) == text && added.value("id", json()).is_number_integer())
      return added["id"].get<int64_t>();
  const json model = tokenizer.value("model", json());
  const json words = model.is_object() ? model.value("vocab", json()) : json(); // a list of pairs in a unigram model, which adds such tokens
  if (words.is_object() && words.contains(text) && words[text].is_number_integer())
    return words[text].get<int64_t>();
  return {};
}

std::vector<int64_t> numbersOf(const ordered_json &config, const char *key) {
  std::vector<int64_t> numbers;
  const ordered_json value = config.value(key, ordered_json());
  for (const ordered_json &one : value.is_array() ? value : ordered_json::array({value}))
    if (one.is_number_integer())
      numbers.push_back(one.get<int64_t>());
  return numbers;
}

bool names(const ordered_json &config, const char *key, int64_t token) {
  const std::vector<int64_t> numbers = numbersOf(config, key);
  return std::find(numbers.begin(), numbers.end(), token) != numbers.end();
}

/// The token first, then those that were there.
ordered_json withOthers(const ordered_json &config, const char *key, int64_t token) {
  ordered_json all = {token};
  for (int64_t other : numbersOf(config, key))
    if (other != token)
      all.push_back(other);
  return all;
}

void align(const char *key, std::optional<int64_t> token, bool several, ordered_json &config, ordered_json &generation) {
  if (!token || (names(config, key, *token) && names(generation, key, *token)))
    return;
  config[key] = several && config.value(key, ordered_json()).is_array() ? withOthers(config, key, *token) : ordered_json(*token);
  generation[key] = several ? withOthers(generation, key, *token) : ordered_json(*token);
}

} // namespace

SpecialTokens specialTokensOf(const std::string &directory) {
  const json config = objectOf(directory + "/tokenizer_config.json"), map = objectOf(directory + "/special_tokens_map.json");
  std::optional<json> tokenizer; // large: read when it is asked for
  auto find = [&](const char *name) -> std::optional<int64_t> {
    // transformers reads the older file only beside a configuration that doesn't list its tokens, and then goes by it.
    const bool isOlder = !config.contains("added_tokens_decoder") && map.contains(name);
    const std::string text = isOlder ? textOf(map, name) : textOf(config, name);
    if (text.empty())
      return {};
    if (!tokenizer)
      tokenizer = objectOf(directory + "/tokenizer.json");
    return numberOf(*tokenizer, config, text);
  };
  return {find("eos_token"), find("bos_token"), find("pad_token")};
}

void alignSpecialTokens(const SpecialTokens &tokens, ordered_json &config, ordered_json &generation) {
  align("eos_token_id", tokens.end, /*several=*/true, config, generation);
  align("bos_token_id", tokens.begin, /*several=*/false, config, generation);
  align("pad_token_id", tokens.padding, /*several=*/false, config, generation);
}

} // namespace zp::rt
