#include "runtime/generation/generation_settings.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "runtime/base/json_depth.h"
#include "runtime/base/text_file.h"
#include "runtime/io/model_weights.h"

namespace zp::rt {

using nlohmann::json;

namespace {

/// Keys that would change the text, at the value that changes nothing.
struct Ignored {
  const char *name;
  json neutral;
};
const std::vector<Ignored> &ignoredKeys() {
  static const std::vector<Ignored> keys = {{"num_beam_groups", 1},
                                            {"diversity_penalty", 0.0},
                                            {"num_return_sequences", 1},
                                            {"typical_p", 1.0},
                                            {"epsilon_cutoff", 0.0},
                                            {"eta_cutoff", 0.0},
                                            {"top_h", nullptr},
                                            {"bad_words_ids", nullptr},
                                            {"penalty_alpha", nullptr},
                                            {"encoder_repetition_penalty", 1.0},
                                            {"exponential_decay_length_penalty", nullptr},
                                            {"remove_invalid_values", false},
                                            {"guidance_scale", 1},
                                            {"sequence_bias", nullptr},
                                            {"constraints", nullptr},
                                            {"force_words_ids", nullptr},
                                            {"watermarking_config", nullptr},
                                            {"token_healing", false},
                                            {"max_time", nullptr},
                                            {"dola_layers", nullptr},
                                            {"forced_decoder_ids", nullptr}};
  return keys;
}

/// Keys that don't change the text.
const std::set<std::string> &silentKeys() {
  static const std::set<std::string> keys = {"_from_model_config",
                                             "transformers_version",
                                             "bos_token_id",
                                             "pad_token_id",
                                             "use_cache",
                                             "cache_implementation",
                                             "cache_config",
                                             "max_cache_len",
                                             "return_legacy_cache",
                                             "prefill_chunk_size",
                                             "output_attentions",
                                             "output_hidden_states",
                                             "output_scores",
                                             "output_logits",
                                             "return_dict_in_generate",
                                             "is_assistant",
                                             "num_assistant_tokens",
                                             "num_assistant_tokens_schedule",
                                             "assistant_confidence_threshold",
                                             "assistant_early_exit",
                                             "assistant_lookbehind",
                                             "assistant_ensemble_weight",
                                             "target_lookbehind",
                                             "prompt_lookup_num_tokens",
                                             "max_matching_ngram_size",
                                             "speculation_type",
                                             "use_mtp",
                                             "compile_config",
                                             "disable_compile",
                                             "low_memory",
                                             "chat_format",
                                             "max_window_size",
                                             "user_turn_token_id",
                                             "ai_turn_token_id"};
  return keys;
}

bool isKnown(const std::string &name) {
#define ZP_GENERATION(key, kind, initial, doc)                                                                                                       \
  if (name == #key)                                                                                                                                  \
    return true;
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
  return silentKeys().count(name) > 0;
}

bool isToken(const json &value) { return value.is_number_integer() && value >= 0 && value <= INT32_MAX; }

/// `value` as what a setting holds; nothing, and what was expected, when it isn't.
const char *convert(const json &value, bool &out) { return value.is_boolean() ? (out = value.get<bool>(), nullptr) : "true or false"; }
const char *convert(const json &value, uint64_t &out) {
  return value.is_number_unsigned() ? (out = value.get<uint64_t>(), nullptr) : "a whole number from 0";
}
const char *convert(const json &value, double &out) { return value.is_number() ? (out = value.get<double>(), nullptr) : "a number"; }
const char *convert(const json &value, int32_t &out) { return isToken(value) ? (out = value.get<int32_t>(), nullptr) : "a token id"; }
const char *convert(const json &value, EarlyStopping &out) {
  if (!value.is_boolean() && value != "never")
    return "true, false or \"never\"";
  out = value == "never" ? EarlyStopping::Never : value.get<bool>() ? EarlyStopping::Yes : EarlyStopping::No;
  return nullptr;
}
template <typename T> const char *convert(const json &value, std::vector<T> &out) {
  const char *expected = nullptr;
  out.clear();
  for (const json &one : value.is_array() ? value : json::array({value}))
    if constexpr (std::is_same_v<T, std::string>)
      one.is_string() ? out.push_back(one.get<std::string>()) : void(expected = "texts");
    else if (const char *wrong = convert(one, out.emplace_back()))
      expected = wrong;
  return expected;
}
template <typename T> const char *convert(const json &value, std::optional<T> &out) { return convert(value, out.emplace()); }

/// What a file says of the settings.
class ConfigReader {
public:
  ConfigReader(std::string path, json values) : path(std::move(path)), values(std::move(values)) {}

  Status read(GenerationSettings &settings) {
    Status first;
    auto take = [&](const char *name, auto &out) {
      auto found = values.find(name);
      if (found == values.end() || found->is_null() || !first.ok())
        return;
      if (const char *expected = convert(*found, out))
        first = Status(ErrorCode::Json,
                       path + ": " + name + " is " + found->dump() + ", expected " + expected + "; mend the file or give the flag --" + name);
    };
#define ZP_GENERATION(name, kind, initial, doc) take(#name, settings.name);
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
    // As in the reference: what begins a text begins a decoder's that has no token of its own for it.
    if (auto found = values.find("bos_token_id"); !settings.decoder_start_token_id && found != values.end() && isToken(*found))
      settings.decoder_start_token_id = found->get<int32_t>();
    return first;
  }

  /// Of keys that aren't done; of unknown ones only where the file holds nothing else than `ours`.
  std::vector<std::string> notes(bool ours) const {
    std::vector<std::string> lines;
    for (const Ignored &key : ignoredKeys())
      if (auto found = values.find(key.name); found != values.end() && !found->is_null() && *found != key.neutral)
        lines.push_back("note: " + path + ": " + key.name + " is " + found->dump() + "; it is not built, and the text is made without it");
    for (const auto &[name, value] : values.items()) {
      const bool ignored = std::any_of(ignoredKeys().begin(), ignoredKeys().end(), [&](const Ignored &key) { return name == key.name; });
      if (ours && !ignored && !value.is_null() && !isKnown(name))
        lines.push_back("note: " + path + ": " + name + " is not a key that is known; the text is made without it");
    }
    return lines;
  }

private:
  std::string path;
  json values;
};

Status wrong(const char *name, const json &value, const std::string &expected) {
  return Status(ErrorCode::Config,
                std::string("--") + name + ": is " + value.dump() + ", expected " + expected + "; change it, or generation_config.json");
}

Status checkDraws(const GenerationSettings &s) {
  if (!s.do_sample)
    return {};
  if (!(s.temperature > 0 && std::isfinite(s.temperature)))
    return wrong("temperature", s.temperature, "a positive number (--do_sample false takes the most probable token)");
  if (!(s.top_p >= 0 && s.top_p <= 1))
    return wrong("top_p", s.top_p, "a share from 0 to 1");
  if (s.min_p && !(*s.min_p >= 0 && *s.min_p <= 1))
    return wrong("min_p", *s.min_p, "a share from 0 to 1");
  if (s.num_beams > 1)
    return wrong("num_beams", s.num_beams, "1 beside --do_sample true: beams take the most probable tokens (--do_sample false)");
  return {};
}

Status checkRanges(const GenerationSettings &s) {
  constexpr uint64_t kMostBeams = 1 << 16;
  if (!(s.repetition_penalty > 0 && std::isfinite(s.repetition_penalty)))
    return wrong("repetition_penalty", s.repetition_penalty, "a positive number, 1 for none");
  if (s.num_beams == 0 || s.num_beams > kMostBeams)
    return wrong("num_beams", s.num_beams, "1 to 65536 beams");
  if (!std::isfinite(s.length_penalty))
    return wrong("length_penalty", s.length_penalty, "a finite number, 0 for none");
  if (s.max_new_tokens && *s.max_new_tokens == 0)
    return wrong("max_new_tokens", 0, "1 or more");
  if (s.max_length && *s.max_length == 0)
    return wrong("max_length", 0, "1 or more");
  for (const std::string &text : s.stop_strings)
    if (text.empty())
      return wrong("stop_strings", text, "texts of a character at least");
  auto suppressed = [&](int32_t token) { return std::find(s.suppress_tokens.begin(), s.suppress_tokens.end(), token) != s.suppress_tokens.end(); };
  if (s.forced_bos_token_id && suppressed(*s.forced_bos_token_id))
    return wrong("forced_bos_token_id", *s.forced_bos_token_id, "a token that --suppress_tokens doesn't forbid");
  if (!s.forced_eos_token_id.empty() && std::all_of(s.forced_eos_token_id.begin(), s.forced_eos_token_id.end(), suppressed))
    return wrong("forced_eos_token_id", s.forced_eos_token_id, "a token that --suppress_tokens doesn't forbid");
  return checkDraws(s);
}

template <typename T> void prefer(const std::optional<T> &flag, T &out) { out = flag.value_or(out); }
template <typename T> void prefer(const std::optional<T> &flag, std::optional<T> &out) {
  if (flag)
    out = flag;
}
template <typename T> void prefer(const std::vector<T> &flag, std::vector<T> &out) {
  if (!flag.empty())
    out = flag;
}

} // namespace

bool GenerationSettings::isEnd(int32_t token) const { return std::find(eos_token_id.begin(), eos_token_id.end(), token) != eos_token_id.end(); }

Status checkTokens(const GenerationSettings &s, uint32_t vocabulary, bool startUsed) {
  Status first;
  auto check = [&](const char *name, int32_t token) {
    if (first.ok() && (token < 0 || static_cast<uint32_t>(token) >= vocabulary))
      first = Status(ErrorCode::TokenRange, std::string("--") + name + ": is " + std::to_string(token) + ", expected a token from 0 to " +
                                                std::to_string(int64_t{vocabulary} - 1) + "; change it, or generation_config.json");
  };
  auto checkAll = [&](const char *name, const auto &tokens) {
    for (int32_t token : tokens)
      check(name, token);
  };
  if (startUsed && s.decoder_start_token_id)
    check("decoder_start_token_id", *s.decoder_start_token_id);
  if (s.forced_bos_token_id)
    check("forced_bos_token_id", *s.forced_bos_token_id);
  checkAll("forced_eos_token_id", s.forced_eos_token_id);
  checkAll("suppress_tokens", s.suppress_tokens);
  checkAll("begin_suppress_tokens", s.begin_suppress_tokens);
  return first;
}

StatusOr<GenerationSettings> readGenerationSettings(const std::string &model, const GenerationFlags &flags) {
  std::error_code ignored;
  const std::string own = model + "/generation_config.json", path = std::filesystem::exists(own, ignored) ? own : model + "/config.json";
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  json values = parseJson<json>(text);
  if (!values.is_object())
    return Status(ErrorCode::Json, path + ": is not a JSON object of at most " + std::to_string(kDeepestJson) + " levels; save the model again");
  ConfigReader reader(path, values);
  GenerationSettings s;
  ZP_RETURN_IF_ERROR(reader.read(s));
  s.notes = reader.notes(path == own);
  // One of the two lengths, the flag's before the file's.
  if (flags.max_length && !flags.max_new_tokens)
    s.max_new_tokens.reset();
#define ZP_GENERATION(name, kind, initial, doc) prefer(flags.name, s.name);
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
  prefer(flags.seed, s.seed);
  s.noOtherEnds = !flags.eos_token_id.empty();
  ZP_RETURN_IF_ERROR(checkRanges(s));
  return s;
}

} // namespace zp::rt
