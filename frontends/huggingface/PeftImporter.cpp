#include "frontends/huggingface/PeftImporter.h"

#include <algorithm>

#include "runtime/base/names.h"

namespace zp::fe {

using Json = nlohmann::ordered_json;

namespace {

enum class Use { Honoured, Recorded, Fixed, Ignored };

struct KeyRule {
  const char *name;
  const char *initial;
  Use use;
};

constexpr KeyRule kRules[] = {
#define ZP_ADAPTER_KEY(name, initial, use) {#name, initial, Use::use},
#include "frontends/huggingface/AdapterConfigKeys.inc"
#undef ZP_ADAPTER_KEY
};

class AdapterReader {
public:
  AdapterReader(const JsonDocument &config, const std::vector<std::string> &defaultTargets, std::vector<std::string> &warnings)
      : reader(config), defaultTargets(defaultTargets), warnings(warnings) {}

  StatusOr<LoraSettings> read() {
    lora.saved = true;
    applyTable();
    readTask();
    if (std::string type = reader.text("peft_type", ""); type != "LORA")
      reader.fail(ErrorCode::Config, "peft_type",
                  reader.has("peft_type") ? "is \"" + type + "\", expected \"LORA\"; use a LoRA adapter"
                                          : std::string("is missing, expected \"LORA\"; use an adapter that PEFT saved"));
    lora.rank = reader.integer("r", 8);
    lora.alpha = numberAt("lora_alpha", {8, true});
    lora.dropout = numberAt("lora_dropout", {0, false});
    lora.targets = choiceAt("target_modules");
    if (lora.targets.kind == ModuleChoice::Kind::None) {
      lora.targets.kind = ModuleChoice::Kind::Names;
      lora.targets.names = defaultTargets;
    }
    lora.excluded = choiceAt("exclude_modules");
    lora.bias = reader.text("bias", "none");
    lora.rankStabilised = reader.boolean("use_rslora", false);
    readInitial();
    readPatterns();
    readLayers();
    if (reader.has("modules_to_save")) {
      lora.modulesToSave = reader.texts("modules_to_save");
      if (lora.modulesToSave->empty())
        lora.modulesToSave.reset();
    }
    ZP_RETURN_IF_ERROR(reader.status());
    ZP_RETURN_IF_ERROR(verifyLora(lora));
    return lora;
  }

private:
  void applyTable() {
    std::vector<std::string> known;
    for (const KeyRule &rule : kRules) {
      known.push_back(rule.name);
      lora.places.emplace_back(rule.name, reader.source().place(rule.name));
      if (!reader.contains(rule.name))
        continue;
      const Json &value = *reader.source().find(rule.name);
      if (rule.use == Use::Recorded)
        lora.recorded[rule.name] = nlohmann::json(value);
      // An empty container says as little as null.
      if (rule.use == Use::Fixed && !value.is_null() && !(value.is_structured() && value.empty()) && value != Json::parse(rule.initial))
        reader.fail(ErrorCode::Config, rule.name,
                    "is " + reader.valueText(rule.name) + ", expected " + rule.initial + ": this variant of LoRA is not supported; train without it");
    }
    for (const auto &[key, value] : reader.source().root().items()) {
      if (std::find(known.begin(), known.end(), key) != known.end() || key == "runtime_config")
        continue;
      std::vector<std::string> nearest = nearestNames(key, known);
      warnings.push_back("warning: " + reader.source().place(key) + ": is no key that is known" +
                         (nearest.empty() ? "" : " (" + nearest[0] + " is)") + ", ignored as PEFT ignores it");
    }
  }

  /// Only recorded, but PEFT must be able to read it again, and its heads for classes are none of ours.
  void readTask() {
    if (!reader.has("task_type"))
      return;
    const std::string task = reader.text("task_type", "");
    constexpr const char *kTasks[] = {"CAUSAL_LM", "SEQ_2_SEQ_LM", "FEATURE_EXTRACTION"};
    if (std::find(std::begin(kTasks), std::end(kTasks), task) == std::end(kTasks))
      reader.fail(ErrorCode::Config, "task_type", "is \"" + task + "\", expected CAUSAL_LM or SEQ_2_SEQ_LM, a model's of text; write which");
  }

  WrittenNumber numberAt(const char *key, WrittenNumber absent) {
    if (!reader.has(key))
      return absent;
    return {reader.number(key, absent.value), reader.source().find(key)->is_number_integer()};
  }

  ModuleChoice choiceAt(const char *key) {
    ModuleChoice choice;
    if (!reader.has(key))
      return choice;
    if (!reader.source().find(key)->is_string()) {
      choice.names = reader.texts(key);
      if (!choice.names.empty())
        choice.kind = ModuleChoice::Kind::Names;
      return choice;
    }
    // In the file a string is a regular expression, even if it could be a name.
    std::string text = reader.text(key, "");
    choice = ModuleChoice::fromText(text);
    if (!text.empty() && choice.kind != ModuleChoice::Kind::AllLinear) {
      choice = ModuleChoice();
      choice.kind = ModuleChoice::Kind::Regex;
      choice.regex = text;
    }
    return choice;
  }

  void readInitial() {
    if (!reader.has("init_lora_weights"))
      return;
    const Json &value = *reader.source().find("init_lora_weights");
    lora.initial = value.is_boolean() ? (value.get<bool>() ? "true" : "false") : reader.text("init_lora_weights", "true");
    if (lowered(lora.initial) == "gaussian") // in PEFT whatever its case
      lora.initial = "gaussian";
  }

  void readPatterns() {
    for (const char *key : {"rank_pattern", "alpha_pattern"}) {
      if (!reader.has(key))
        continue;
      const Json &patterns = *reader.source().find(key);
      if (!patterns.is_object()) {
        reader.fail(ErrorCode::Json, key, "is " + reader.valueText(key) + ", expected an object; correct the value");
        continue;
      }
      for (const auto &[name, value] : patterns.items()) {
        KeyPath path{key, name};
        if (value.is_null()) {
          reader.fail(ErrorCode::Json, path, "is null, expected a number; correct the value or drop the key");
          continue;
        }
        if (key == std::string("rank_pattern"))
          lora.rankPattern.emplace_back(name, reader.integer(path, 0));
        else
          lora.alphaPattern.emplace_back(name, WrittenNumber{reader.number(path, 0), value.is_number_integer()});
      }
    }
  }

  void readLayers() {
    if (reader.has("layers_to_transform")) {
      lora.singleLayer = reader.source().find("layers_to_transform")->is_number();
      lora.layers = lora.singleLayer ? std::vector<int64_t>{reader.integer("layers_to_transform", 0)} : reader.integers("layers_to_transform");
    }
    if (reader.has("layers_pattern")) {
      lora.singleLayersPattern = reader.source().find("layers_pattern")->is_string();
      lora.layersPattern = lora.singleLayersPattern ? std::vector<std::string>{reader.text("layers_pattern", "")} : reader.texts("layers_pattern");
      if (lora.singleLayersPattern && lora.layersPattern[0].empty())
        lora.layersPattern.clear();
    }
  }

  JsonReader reader;
  const std::vector<std::string> &defaultTargets;
  std::vector<std::string> &warnings;
  LoraSettings lora;
};

} // namespace

StatusOr<LoraSettings> importAdapterConfig(const JsonDocument &config, const std::vector<std::string> &defaultTargets,
                                           std::vector<std::string> &warnings) {
  return AdapterReader(config, defaultTargets, warnings).read();
}

} // namespace zp::fe
