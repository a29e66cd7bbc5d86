#include "frontends/accelerate/DsConfig.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "runtime/schedule/schedule_arguments.h"

namespace zp::fe {

const KeyTable &dsConfigKeys() {
  static const KeyTable table("a DeepSpeed config", {
#define ZP_KEY(name, kind, use, target, accepted, note) {name, ValueKind::kind, KeyUse::use, target, accepted, note},
#include "frontends/accelerate/DsConfigKeys.inc"
#undef ZP_KEY
                                                    });
  return table;
}

namespace {

/// Keys whose one harmless value isn't off.
struct OnlyValue {
  const char *key;
  std::vector<const char *> values;
};
const OnlyValue kOnly[] = {{"optimizer.params.adam_w_mode", {"true"}},
                           {"optimizer.params.bias_correction", {"true"}},
                           {"zero_optimization.zero_hpz_partition_size", {"1"}},
                           {"zero_optimization.mics_shard_size", {"-1", "0"}},
                           {"tensor_parallel.autotp_size", {"1", "0"}}};

/// What DeepSpeed's Adams take for a parameter that the section doesn't name. torch's AdamW decays, its own two (on the device and on
/// the host) don't.
struct OptimizerDefault {
  const char *key, *setting, *value, *ofTorch;
};
const OptimizerDefault kOptimizer[] = {{"lr", "learning_rate", "0.001", "0.001"},
                                       {"betas", "adam_beta1", "0.9", "0.9"},
                                       {"betas", "adam_beta2", "0.999", "0.999"},
                                       {"eps", "adam_epsilon", "1e-08", "1e-08"},
                                       {"weight_decay", "weight_decay", "0", "0.01"}};

/// A map of scalars as DeepSpeed's constructor gets it. What is no scalar stays what no argument can be.
nlohmann::json objectOf(const ConfigNode &map) {
  nlohmann::json object = nlohmann::json::object();
  for (const ConfigNode::Entry &entry : map.entries) {
    const ConfigNode &value = entry.value;
    const bool scalar = value.kind == ConfigNode::Kind::Scalar;
    nlohmann::json word = scalar && !value.quoted ? nlohmann::json::parse(value.text, nullptr, /*allow_exceptions=*/false)
                                                  : nlohmann::json(scalar ? value.text : value.shown());
    if (value.kind == ConfigNode::Kind::Null)
      word = nullptr;
    object[entry.key] = word.is_discarded() ? nlohmann::json(value.text) : word;
  }
  return object;
}

class DsImporter {
public:
  DsImporter(const ConfigDocument &document, JobConfig &config) : document(document), config(config) {}

  Status run() {
    root = document.root();
    for (ConfigNode::Entry &entry : root.entries)
      if (entry.key == "bfloat16") // what old DeepSpeed calls it
        entry.key = "bf16";
    ZP_RETURN_IF_ERROR(dsConfigKeys().read(document, root, keys, /*numbersInQuotes=*/false));
    if (!keys.found.count("zero_optimization"))
      return Status(ErrorCode::Config, document.name() + ":1: zero_optimization: is missing, expected the section; "
                                                         "write \"zero_optimization\": {\"stage\": 0} for none");
    ZP_RETURN_IF_ERROR(readStage());
    ZP_RETURN_IF_ERROR(readOnlyValues());
    ZP_RETURN_IF_ERROR(readBetas());
    ZP_RETURN_IF_ERROR(readSchedule());
    ZP_RETURN_IF_ERROR(readUnsaid());
    noteLoggedRate();
    readThreshold();
    if (keys.text("gradient_clipping") && isOff(keys.found.at("gradient_clipping")->value))
      config.notes.push_back(place("gradient_clipping") + ": 0 clips nothing here; DeepSpeed 0.19 would clip at its own default of 1.0");
    else if (!keys.text("gradient_clipping"))
      config.unsaidClipping = document.place(1, "gradient_clipping");
    if (std::optional<std::string> batch = keys.text("train_batch_size"); batch && *batch != "auto")
      config.trainBatch = SettingWish{"train_batch_size", *keys.text("train_batch_size"), place("train_batch_size"), true};
    config.wishes.insert(config.wishes.end(), keys.wishes.begin(), keys.wishes.end());
    config.notes.insert(config.notes.end(), keys.notes.begin(), keys.notes.end());
    return Status();
  }

private:
  std::string place(const std::string &key) const { return document.place(keys.found.at(key)->line, key); }
  Status fail(const std::string &key, const std::string &message) const { return Status(ErrorCode::Config, place(key) + ": " + message); }

  Status readStage() {
    int64_t stage = 0;
    if (keys.text("zero_optimization.stage"))
      stage = std::stoll(*keys.text("zero_optimization.stage"));
    else
      config.wishes.push_back({"zero_stage", "0", place("zero_optimization") + ".stage (DeepSpeed's default)", false});
    if (stage < 0 || stage > 3)
      return fail("zero_optimization.stage", "is " + std::to_string(stage) + ", expected 0, 1, 2 or 3; set \"stage\": 3 for full parameter sharding");
    for (bool parameters : {true, false}) {
      std::string section = parameters ? "zero_optimization.offload_param" : "zero_optimization.offload_optimizer";
      OffloadWish wish{parameters, keys.text(section + ".device"), keys.text(section + ".nvme_path"), "", ""};
      wish.devicePlace = wish.device ? place(section + ".device") : "";
      const std::string old = std::string("zero_optimization.cpu_offload") + (parameters ? "_param" : "");
      if (keys.text(old) && keys.found.count(section))
        return fail(old, "is set beside " + section + ", expected one of the two; drop this one");
      if (keys.text(old) == "true")
        wish.device = "cpu", wish.devicePlace = place(old);
      wish.pathPlace = wish.path ? place(section + ".nvme_path") : "";
      ZP_RETURN_IF_ERROR(takeOffload(wish, stage, config));
    }
    return Status();
  }

  Status readOnlyValues() {
    for (const OnlyValue &only : kOnly) {
      if (!keys.text(only.key))
        continue;
      std::string value = *keys.text(only.key);
      if (std::none_of(only.values.begin(), only.values.end(), [&](const char *good) { return value == good; }))
        return fail(only.key, "is " + value + ", expected " + only.values[0] + ": " + dsConfigKeys().find(only.key)->note);
    }
    return Status();
  }

  Status readBetas() {
    const std::string key = "optimizer.params.betas";
    auto at = keys.found.find(key);
    if (at == keys.found.end() || at->second->value.text == "auto")
      return Status();
    const ConfigNode &list = at->second->value;
    ConfigKey number{"", ValueKind::Float, KeyUse::Match, "", "", ""};
    if (list.items.size() != 2 || !checkWord(number, list.items[0].text).expected.empty() || !checkWord(number, list.items[1].text).expected.empty())
      return fail(key, "is " + list.shown() + ", expected two numbers or \"auto\"; write [0.9, 0.999]");
    config.wishes.push_back({"adam_beta1", list.items[0].text, place(key), true});
    config.wishes.push_back({"adam_beta2", list.items[1].text, place(key), true});
    return Status();
  }

  bool hasKeys(const char *section) const {
    auto at = keys.found.find(section);
    return at != keys.found.end() && !at->second->value.entries.empty();
  }

  Status readSchedule() {
    const std::string section = "scheduler", params = section + ".params";
    if (!hasKeys("scheduler"))
      return Status();
    if (!keys.text(section + ".type"))
      return fail(section, std::string("has no type, expected one of ") + dsConfigKeys().find(section + ".type")->accepted + "; add \"type\"");
    const std::string type = *keys.text(section + ".type");
    if (!keys.found.count(params) || keys.found.at(params)->value.kind != ConfigNode::Kind::Map)
      return fail(section, "has no params, expected a map of what " + type + " takes; write \"params\": {} for DeepSpeed's defaults");
    const ConfigNode &map = keys.found.at(params)->value;
    auto placeOf = [&](const std::string &name) {
      for (const ConfigNode::Entry &entry : map.entries)
        if (entry.key == name)
          return document.place(entry.line, params + "." + name);
      return place(params) + (name.empty() ? "" : "." + name);
    };
    const ConfigNode *most = map.find("warmup_max_lr");
    const bool unsaid = !most || most->kind == ConfigNode::Kind::Null;
    ratesOfItsOwn = type != "WarmupCosineLR" && !(type == "WarmupLR" && unsaid);
    const std::string words = objectOf(map).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    ZP_ASSIGN_OR_RETURN(rt::ScheduleArguments arguments, rt::ScheduleArguments::parse(type, place(section + ".type"), words, placeOf));
    config.wishes.push_back({"lr_scheduler_type", type, place(section + ".type"), false, /*overFlags=*/true});
    config.wishes.push_back({"lr_scheduler_kwargs", words, place(params), false, /*overFlags=*/true});
    auto given = [&](const char *name, const char *setting) {
      const bool number = arguments.isGiven(name) && arguments.number(name);
      return number ? std::optional(SettingWish{setting, map.find(name)->text, placeOf(name), true}) : std::nullopt;
    };
    if (std::optional<SettingWish> rate = given("warmup_max_lr", "learning_rate"))
      config.wishes.push_back(*rate);
    config.warmup = given("warmup_num_steps", "warmup_steps");
    return Status();
  }

  /// "auto" alone is the flags': what an optimizer's section lacks is DeepSpeed's.
  Status readUnsaid() {
    const std::string section = "optimizer", params = section + ".params";
    if (!hasKeys("optimizer"))
      return Status();
    if (!keys.text(section + ".type"))
      return fail(section, "has no type, expected AdamW or Adam; add \"type\": \"AdamW\"");
    const int line = keys.found.at(keys.found.count(params) ? params : section)->line;
    const bool ofTorch = keys.text(params + ".torch_adam") == "true";
    for (const OptimizerDefault &unsaid : kOptimizer) {
      const std::string key = params + "." + unsaid.key;
      const auto at = keys.found.find(key);
      const bool named = at != keys.found.end() && at->second->value.kind != ConfigNode::Kind::Null;
      if (!named && !(ratesOfItsOwn && unsaid.key == std::string("lr")))
        config.wishes.push_back({unsaid.setting, ofTorch ? unsaid.ofTorch : unsaid.value, document.place(line, key), false, false, /*unsaid=*/true});
    }
    // DeepSpeed makes this optimizer, of one group of parameters.
    config.wishes.push_back({"decay_everything", "true", place(section), false});
    return Status();
  }

  /// DeepSpeed's engine steps the schedule of either section before the reference reads the rate that it logs.
  void noteLoggedRate() {
    for (const char *section : {"optimizer", "scheduler"}) {
      if (!hasKeys(section))
        continue;
      config.wishes.push_back({"logging_next_learning_rate", "true", place(section), false});
      config.notes.push_back(place(section) + ": with it the learning rate that is logged is the next update's, as the reference logs it; "
                                              "--logging_next_learning_rate false logs the update's own");
      return;
    }
  }

  void readThreshold() {
    const std::string key = "zero_optimization.stage3_param_persistence_threshold";
    std::optional<std::string> word = keys.text(key);
    if (word && *word == "auto")
      config.hiddenThreshold = place(key);
    else if (word)
      config.wishes.push_back({"stage3_param_persistence_threshold", *keys.text(key), place(key), false});
  }

  const ConfigDocument &document;
  ConfigNode root;
  ReadKeys keys;
  bool ratesOfItsOwn = false; ///< the schedule's: it never looks at the optimizer's
  JobConfig &config;
};

} // namespace

Status readDsConfig(const std::string &path, JobConfig &into) {
  ZP_ASSIGN_OR_RETURN(ConfigDocument document, ConfigDocument::readJson(path));
  return DsImporter(document, into).run();
}

} // namespace zp::fe
