#include "frontends/huggingface/LoraSettings.h"

#include <charconv>
#include <cmath>

#include "runtime/base/names.h"

namespace zp::fe {

using Json = nlohmann::ordered_json;

ModuleChoice ModuleChoice::fromText(const std::string &text) {
  ModuleChoice choice;
  std::string lower;
  for (char c : text)
    lower += c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  if (lower == "all-linear") {
    choice.kind = Kind::AllLinear;
  } else if (text.find_first_of("*+?()[]{}|^$\\") != std::string::npos) {
    choice.kind = Kind::Regex;
    choice.regex = text;
  } else if (choice.names = splitCommaList(text); !choice.names.empty()) {
    choice.kind = Kind::Names;
  }
  return choice;
}

std::string ModuleChoice::text() const {
  switch (kind) {
  case Kind::None:
    return "";
  case Kind::AllLinear:
    return "all-linear";
  case Kind::Names:
    return joinNames(names, ",");
  case Kind::Regex:
    return regex;
  }
  return "";
}

std::string LoraSettings::placeOf(const std::string &key) const {
  for (const auto &[name, place] : places)
    if (name == key)
      return place;
  return key;
}

static Status patternError(const std::string &flag, const std::string &text) {
  return Status(ErrorCode::Config, flag + ": is '" + text + "', expected a JSON object of positive numbers; write {\"q_proj\": 16}");
}

/// Calls `take(key, value)` for each member of the JSON object in `text`; false when it isn't one,
/// or `take` says so.
template <typename F> static bool readPattern(const std::string &text, F &&take) {
  if (text.empty())
    return true;
  Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    return false;
  for (const auto &[key, value] : object.items())
    if (!take(key, value))
      return false;
  return true;
}

bool isLoraFlag(const std::string &name) { return name.starts_with("lora_") || name == "use_rslora" || name == "init_lora_weights"; }

StatusOr<LoraSettings> loraFromFlags(const JobSettings &settings) {
  LoraSettings lora;
  lora.places = {{"r", "--lora_r"},
                 {"lora_alpha", "--lora_alpha"},
                 {"lora_dropout", "--lora_dropout"},
                 {"target_modules", "--lora_target_modules"},
                 {"exclude_modules", "--lora_exclude_modules"},
                 {"bias", "--lora_bias"},
                 {"init_lora_weights", "--init_lora_weights"},
                 {"rank_pattern", "--lora_rank_pattern"},
                 {"alpha_pattern", "--lora_alpha_pattern"},
                 {"layers_to_transform", "--lora_layers_to_transform"},
                 {"layers_pattern", "--lora_layers_pattern"},
                 {"modules_to_save", "--lora_modules_to_save"}};
  lora.rank = settings.lora_r;
  lora.alpha = {settings.lora_alpha, std::trunc(settings.lora_alpha) == settings.lora_alpha};
  lora.dropout = {settings.lora_dropout, false};
  lora.targets = ModuleChoice::fromText(settings.lora_target_modules);
  lora.excluded = ModuleChoice::fromText(settings.lora_exclude_modules);
  lora.bias = settings.lora_bias;
  lora.initial = settings.init_lora_weights;
  lora.rankStabilised = settings.use_rslora;
  bool ranks = readPattern(settings.lora_rank_pattern, [&](const std::string &key, const Json &value) {
    if (value.is_number_integer())
      lora.rankPattern.emplace_back(key, value.get<int64_t>());
    return value.is_number_integer();
  });
  if (!ranks)
    return patternError("--lora_rank_pattern", settings.lora_rank_pattern);
  bool alphas = readPattern(settings.lora_alpha_pattern, [&](const std::string &key, const Json &value) {
    if (value.is_number())
      lora.alphaPattern.emplace_back(key, WrittenNumber{value.get<double>(), value.is_number_integer()});
    return value.is_number();
  });
  if (!alphas)
    return patternError("--lora_alpha_pattern", settings.lora_alpha_pattern);
  for (const std::string &word : splitCommaList(settings.lora_layers_to_transform)) {
    int64_t layer = -1;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), layer);
    if (error != std::errc() || end != word.data() + word.size() || layer < 0)
      return Status(ErrorCode::Config, "--lora_layers_to_transform: holds '" + word + "', expected layer numbers from 0 on; write 0,1,2");
    if (!lora.layers)
      lora.layers.emplace();
    lora.layers->push_back(layer);
  }
  lora.layersPattern = splitCommaList(settings.lora_layers_pattern);
  if (auto names = splitCommaList(settings.lora_modules_to_save); !names.empty())
    lora.modulesToSave = std::move(names);
  ZP_RETURN_IF_ERROR(verifyLora(lora));
  return lora;
}

Status verifyLora(const LoraSettings &lora) {
  auto wrong = [&](const char *key, const std::string &message) { return Status(ErrorCode::Config, lora.placeOf(key) + ": " + message); };
  constexpr int64_t kMostRank = 1 << 20;
  auto numberText = [](double value) { return Json(value).dump(); };
  if (lora.rank <= 0 || lora.rank > kMostRank)
    return wrong("r", "is " + std::to_string(lora.rank) + ", expected a rank from 1 to 1048576; try 8 or 16");
  if (!std::isfinite(lora.alpha.value))
    return wrong("lora_alpha", "is not finite, expected a number; try twice the rank");
  if (!(lora.dropout.value >= 0 && lora.dropout.value < 1))
    return wrong("lora_dropout", "is " + numberText(lora.dropout.value) + ", expected a probability from 0 up to 1, 1 excluded; try 0.1");
  if (lora.bias != "none" && lora.bias != "all" && lora.bias != "lora_only")
    return wrong("bias", "is \"" + lora.bias + "\", expected none, all or lora_only; choose one");
  const bool isDrawn = lora.initial == "true" || lora.initial == "false" || lora.initial == "gaussian";
  // What these have drawn is in the file, and the base is as it was. (PiSSA, OLoRA and others change it.)
  if (!isDrawn && !(lora.saved && (lora.initial == "orthogonal" || lora.initial == "eva")))
    return wrong("init_lora_weights", "is \"" + lora.initial + "\", expected true, false or gaussian; choose one");
  for (const auto &[key, rank] : lora.rankPattern)
    if (rank <= 0 || rank > kMostRank)
      return wrong("rank_pattern", "gives \"" + key + "\" the rank " + std::to_string(rank) + ", expected a rank from 1 to 1048576; correct it");
  if (lora.targets.kind == ModuleChoice::Kind::None)
    return wrong("target_modules", "is empty, expected module names, a regular expression or all-linear; try all-linear");
  if (lora.excluded.kind == ModuleChoice::Kind::AllLinear)
    return wrong("exclude_modules", "is all-linear, expected module names or a regular expression; name the modules");
  bool hasLayers = lora.layers && !lora.layers->empty();
  if (hasLayers && lora.targets.kind == ModuleChoice::Kind::Regex)
    return wrong("layers_to_transform", "is set beside a regular expression of targets, expected a "
                                        "list of targets; put the layers into the expression");
  if (hasLayers && lora.targets.kind == ModuleChoice::Kind::AllLinear)
    return wrong("layers_to_transform", "is set beside all-linear, expected a list of targets, as PEFT does; name the linears, as q_proj,v_proj");
  if (!lora.layersPattern.empty() && !hasLayers)
    return wrong("layers_pattern", "is set without layers_to_transform, expected both; name the layers");
  return Status();
}

static std::string integerText(const std::vector<int64_t> &values) {
  std::vector<std::string> words;
  for (int64_t value : values)
    words.push_back(std::to_string(value));
  return joinNames(words, ",");
}

void recordLora(const LoraSettings &lora, JobSettings &settings) {
  settings.lora_r = lora.rank;
  settings.lora_alpha = lora.alpha.value;
  settings.lora_dropout = lora.dropout.value;
  settings.lora_target_modules = lora.targets.text();
  settings.lora_exclude_modules = lora.excluded.text();
  settings.lora_bias = lora.bias;
  settings.use_rslora = lora.rankStabilised;
  settings.init_lora_weights = lora.initial;
  Json ranks = Json::object(), alphas = Json::object();
  for (const auto &[key, rank] : lora.rankPattern)
    ranks[key] = rank;
  for (const auto &[key, alpha] : lora.alphaPattern)
    alphas[key] = alpha.value;
  settings.lora_rank_pattern = ranks.empty() ? "" : ranks.dump();
  settings.lora_alpha_pattern = alphas.empty() ? "" : alphas.dump();
  settings.lora_layers_to_transform = lora.layers ? integerText(*lora.layers) : "";
  settings.lora_layers_pattern = joinNames(lora.layersPattern, ",");
  settings.lora_modules_to_save = lora.modulesToSave ? joinNames(*lora.modulesToSave, ",") : "";
}

} // namespace zp::fe
