#include "runtime/generation/generation_settings.h"

#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "runtime/io/checkpoint.h"

namespace zp::rt {

using nlohmann::json;

namespace {

/// Settings of the file that would change the text, at the value that changes nothing.
struct Ignored {
  const char *name;
  json neutral;
};
const std::vector<Ignored> &ignoredKeys() {
  static const std::vector<Ignored> keys = {{"num_beams", 1},
                                            {"num_beam_groups", 1},
                                            {"no_repeat_ngram_size", 0},
                                            {"encoder_no_repeat_ngram_size", 0},
                                            {"min_length", 0},
                                            {"min_new_tokens", nullptr},
                                            {"min_p", nullptr},
                                            {"typical_p", 1.0},
                                            {"epsilon_cutoff", 0.0},
                                            {"eta_cutoff", 0.0},
                                            {"bad_words_ids", nullptr},
                                            {"penalty_alpha", nullptr},
                                            {"forced_bos_token_id", nullptr},
                                            {"forced_eos_token_id", nullptr},
                                            {"suppress_tokens", nullptr},
                                            {"begin_suppress_tokens", nullptr},
                                            {"guidance_scale", nullptr},
                                            {"sequence_bias", nullptr}};
  return keys;
}

class ConfigReader {
public:
  ConfigReader(std::string path, json values) : path(std::move(path)), values(std::move(values)) {}

  template <typename T, typename Out>
  void take(const char *name, bool (json::*is)() const noexcept, const char *expected, Out &out) {
    auto found = values.find(name);
    if (found == values.end() || found->is_null() || !first.ok())
      return;
    if (((*found).*is)())
      out = found->get<T>();
    else
      first = Status(ErrorCode::Json, path + ": " + name + " is " + found->dump() + ", expected " + expected +
                                          "; mend the file or give the flag --" + name);
  }
  /// One token, a list of them, or nothing.
  void takeTokens(const char *name, std::vector<int32_t> &out) {
    json found = values.value(name, json());
    for (const json &token : found.is_array() ? found : found.is_null() ? json::array() : json::array({found})) {
      if (!token.is_number_integer() || token < 0 || token > INT32_MAX) {
        first = Status(ErrorCode::Json, path + ": " + name + " holds " + token.dump() + ", expected token ids; mend the file");
        return;
      }
      out.push_back(token.get<int32_t>());
    }
  }
  std::vector<std::string> notes() const {
    std::vector<std::string> lines;
    for (const Ignored &key : ignoredKeys())
      if (auto found = values.find(key.name); found != values.end() && !found->is_null() && *found != key.neutral)
        lines.push_back("note: " + path + ": " + key.name + " is " + found->dump() +
                        "; it is not built, and the text is made without it");
    return lines;
  }
  Status first;

private:
  std::string path;
  json values;
};

Status checkRanges(const GenerationSettings &s) {
  auto wrong = [](const char *name, double value, const char *expected) {
    return Status(ErrorCode::Config, std::string("--") + name + ": is " + json(value).dump() + ", expected " + expected +
                                         "; change it, or generation_config.json");
  };
  if (s.sample && !(s.temperature > 0 && std::isfinite(s.temperature)))
    return wrong("temperature", s.temperature, "a positive number (--do_sample false takes the most probable token)");
  if (s.sample && !(s.topP > 0 && s.topP <= 1))
    return wrong("top_p", s.topP, "more than 0 and at most 1");
  if (s.topK < 0)
    return wrong("top_k", static_cast<double>(s.topK), "0 (all tokens) or more");
  if (!(s.repetitionPenalty > 0 && std::isfinite(s.repetitionPenalty)))
    return wrong("repetition_penalty", s.repetitionPenalty, "a positive number, 1 for none");
  if (s.newTokens && *s.newTokens == 0)
    return wrong("max_new_tokens", 0, "1 or more");
  return {};
}

template <typename T, typename Out> void prefer(const std::optional<T> &flag, Out &out) {
  if (flag)
    out = *flag;
}

} // namespace

StatusOr<GenerationSettings> readGenerationSettings(const std::string &model, const GenerationFlags &flags) {
  const std::string own = model + "/generation_config.json", path = std::filesystem::exists(own) ? own : model + "/config.json";
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  json values = json::parse(text, nullptr, false);
  if (!values.is_object())
    return Status(ErrorCode::Json, path + ": is not a JSON object; save the model again");
  ConfigReader reader(path, values);
  GenerationSettings s;
  reader.takeTokens("eos_token_id", s.ends);
  if (path == own) {
    reader.take<bool>("do_sample", &json::is_boolean, "true or false", s.sample);
    reader.take<double>("temperature", &json::is_number, "a number", s.temperature);
    reader.take<double>("top_p", &json::is_number, "a number", s.topP);
    reader.take<int64_t>("top_k", &json::is_number_integer, "a whole number", s.topK);
    reader.take<double>("repetition_penalty", &json::is_number, "a number", s.repetitionPenalty);
    reader.take<uint64_t>("max_new_tokens", &json::is_number_unsigned, "a whole number", s.newTokens);
    s.notes = reader.notes();
  }
  ZP_RETURN_IF_ERROR(reader.first);
  prefer(flags.sample, s.sample);
  prefer(flags.temperature, s.temperature);
  prefer(flags.topP, s.topP);
  prefer(flags.topK, s.topK);
  prefer(flags.repetitionPenalty, s.repetitionPenalty);
  prefer(flags.newTokens, s.newTokens);
  prefer(flags.seed, s.seed);
  ZP_RETURN_IF_ERROR(checkRanges(s));
  return s;
}

} // namespace zp::rt
