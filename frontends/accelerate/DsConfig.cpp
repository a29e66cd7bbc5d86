#include "frontends/accelerate/DsConfig.h"

#include <algorithm>

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
                           {"tensor_parallel.autotp_size", {"0", "1"}}};

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
    readThreshold();
    if (keys.text("gradient_clipping") && isOff(keys.found.at("gradient_clipping")->value))
      config.notes.push_back(place("gradient_clipping") +
                             ": 0 clips nothing here; DeepSpeed 0.19 would clip at its own default of 1.0");
    if (std::optional<std::string> batch = keys.text("train_batch_size"); batch && *batch != "auto")
      config.trainBatch = SettingWish{"train_batch_size", checked("train_batch_size"), place("train_batch_size"), true};
    config.wishes.insert(config.wishes.end(), keys.wishes.begin(), keys.wishes.end());
    config.notes.insert(config.notes.end(), keys.notes.begin(), keys.notes.end());
    return Status();
  }

private:
  std::string place(const std::string &key) const { return document.place(keys.found.at(key)->line, key); }
  std::string checked(const std::string &key) const {
    return checkWord(*dsConfigKeys().find(key), *keys.text(key)).value;
  }
  Status fail(const std::string &key, const std::string &message) const {
    return Status(ErrorCode::Config, place(key) + ": " + message);
  }

  Status readStage() {
    int64_t stage = 0;
    if (keys.text("zero_optimization.stage"))
      stage = std::stoll(checked("zero_optimization.stage"));
    else
      config.wishes.push_back({"zero_stage", "0", place("zero_optimization") + ".stage (DeepSpeed's default)", false});
    if (stage < 0 || stage > 3)
      return fail("zero_optimization.stage",
                  "is " + std::to_string(stage) +
                      ", expected 0, 1, 2 or 3; set \"stage\": 3 for full parameter sharding");
    for (bool parameters : {true, false}) {
      std::string section = parameters ? "zero_optimization.offload_param" : "zero_optimization.offload_optimizer";
      OffloadWish wish{parameters, keys.text(section + ".device"), keys.text(section + ".nvme_path"), "", ""};
      wish.devicePlace = wish.device ? place(section + ".device") : "";
      wish.pathPlace = wish.path ? place(section + ".nvme_path") : "";
      ZP_RETURN_IF_ERROR(takeOffload(wish, stage, config));
    }
    return Status();
  }

  Status readOnlyValues() {
    for (const OnlyValue &only : kOnly) {
      if (!keys.text(only.key))
        continue;
      std::string value = checked(only.key);
      if (std::none_of(only.values.begin(), only.values.end(), [&](const char *good) { return value == good; }))
        return fail(only.key,
                    "is " + value + ", expected " + only.values[0] + ": " + dsConfigKeys().find(only.key)->note);
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
    if (list.items.size() != 2 || !checkWord(number, list.items[0].text).expected.empty() ||
        !checkWord(number, list.items[1].text).expected.empty())
      return fail(key, "is " + list.shown() + ", expected two numbers or \"auto\"; write [0.9, 0.999]");
    config.wishes.push_back({"adam_beta1", list.items[0].text, place(key), true});
    config.wishes.push_back({"adam_beta2", list.items[1].text, place(key), true});
    return Status();
  }

  void readThreshold() {
    const std::string key = "zero_optimization.stage3_param_persistence_threshold";
    std::optional<std::string> word = keys.text(key);
    if (word && *word == "auto")
      config.hiddenThreshold = place(key);
    else if (word)
      config.wishes.push_back({"stage3_param_persistence_threshold", checked(key), place(key), false});
  }

  const ConfigDocument &document;
  ConfigNode root;
  ReadKeys keys;
  JobConfig &config;
};

} // namespace

Status readDsConfig(const std::string &path, JobConfig &into) {
  ZP_ASSIGN_OR_RETURN(ConfigDocument document, ConfigDocument::readJson(path));
  return DsImporter(document, into).run();
}

} // namespace zp::fe
