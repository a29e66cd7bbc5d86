#include "frontends/accelerate/AccelerateConfig.h"

#include "frontends/accelerate/DsConfig.h"
#include "runtime/base/names.h"

namespace zp::fe {

const KeyTable &accelerateKeys() {
  static const KeyTable table("an Accelerate config", {
#define ZP_KEY(name, kind, use, target, accepted, note) {name, ValueKind::kind, KeyUse::use, target, accepted, note},
#include "frontends/accelerate/AccelerateKeys.inc"
                                                      });
  return table;
}

const KeyTable &deepspeedKeys() {
  static const KeyTable table("deepspeed_config", {
#include "frontends/accelerate/DeepspeedKeys.inc"
#undef ZP_KEY
                                                  });
  return table;
}

namespace {

/// What Accelerate takes from the ds_config JSON and nowhere else, once there is one.
const char *const kOfTheJson[] = {"zero_stage",           "gradient_accumulation_steps", "gradient_clipping",       "offload_optimizer_device",
                                  "offload_param_device", "offload_optimizer_nvme_path", "offload_param_nvme_path", "zero3_save_16bit_model"};

/// Values of distributed_type that aren't here, by how they begin, and what to write in their place.
struct OtherEngine {
  const char *begins, *instead;
};
const OtherEngine kEngines[] = {
    {"fsdp", "set DEEPSPEED, and below deepspeed_config zero_stage: 3, which shards what FULL_SHARD does (2: what SHARD_GRAD_OP does)"},
    {"megatron_lm", "set DEEPSPEED, and below deepspeed_config zero_stage: 3; tensor and pipeline parallelism are not built"},
    {"multi_", "set MULTI_GPU: --num_processes says how many ranks there are, and the plan's target where they run, the CPU too"}};

class Importer {
public:
  explicit Importer(const ConfigDocument &document) : document(document) {}

  StatusOr<JobConfig> run() {
    ZP_RETURN_IF_ERROR(refuseOtherEngines());
    ZP_RETURN_IF_ERROR(readTables());
    ZP_RETURN_IF_ERROR(readMachines());
    ZP_RETURN_IF_ERROR(readPrecision());
    ZP_RETURN_IF_ERROR(readDynamo());
    ZP_RETURN_IF_ERROR(readDistribution());
    config.wishes.insert(config.wishes.end(), top.wishes.begin(), top.wishes.end());
    config.notes.insert(config.notes.begin(), top.notes.begin(), top.notes.end());
    return std::move(config);
  }

private:
  Status refuseOtherEngines() const {
    const ConfigNode *type = document.root().find("distributed_type");
    const std::string word = lowered(type ? type->text : "");
    for (const OtherEngine &engine : kEngines)
      if (word.starts_with(engine.begins) && word != "multi_gpu")
        return fail(lineOf("distributed_type"), "distributed_type",
                    "is " + type->shown() + ", expected DEEPSPEED or MULTI_GPU or NO; " + engine.instead);
    return Status();
  }

  /// deepspeed_config is a table of its own, so that its keys are looked for there alone.
  Status readTables() {
    ConfigNode outer = document.root();
    std::erase_if(outer.entries, [](const auto &entry) { return entry.key == "deepspeed_config"; });
    held = std::move(outer);
    ZP_RETURN_IF_ERROR(accelerateKeys().read(document, held, top, /*numbersInQuotes=*/true));
    const ConfigNode *section = document.root().find("deepspeed_config");
    if (!section || section->kind == ConfigNode::Kind::Null)
      return Status();
    if (section->kind != ConfigNode::Kind::Map)
      return fail(lineOf("deepspeed_config"), "deepspeed_config", "is " + section->shown() + ", expected a map of keys; write its keys below it");
    return deepspeedKeys().read(document, *section, inner, /*numbersInQuotes=*/true);
  }

  Status fail(int line, const std::string &key, const std::string &message) const {
    return Status(ErrorCode::Config, document.place(line, key) + ": " + message);
  }
  Status fail(const ReadKeys &from, const std::string &key, const std::string &message) const { return fail(from.found.at(key)->line, key, message); }
  int lineOf(const std::string &key) const {
    for (const ConfigNode::Entry &entry : document.root().entries)
      if (entry.key == key)
        return entry.line;
    return 1;
  }
  std::string place(const ReadKeys &from, const std::string &key) const { return document.place(from.found.at(key)->line, key); }
  void wish(const std::string &setting, const std::string &value, const std::string &where, bool mustMatch) {
    config.wishes.push_back({setting, value, where, mustMatch});
  }

  Status readMachines() {
    // The table has checked that these are whole numbers.
    const int64_t machines = number("num_machines", 1), rank = number("machine_rank", 0);
    if (machines < 1)
      return fail(top, "num_machines", "is " + std::to_string(machines) + ", expected 1 or more; count the machines");
    if (rank < 0 || rank >= machines)
      return fail(top, "machine_rank",
                  "is " + std::to_string(rank) + ", expected 0 to " + std::to_string(machines - 1) +
                      " as num_machines says; number the machines from 0");
    config.machines = machines;
    const int64_t processes = number("num_processes", -1);
    if (processes != -1 && (processes < 1 || processes % machines != 0))
      return fail(top, "num_processes",
                  "is " + std::to_string(processes) + ", expected a positive multiple of num_machines, " + std::to_string(machines) +
                      "; count the ranks of all machines");
    if (processes != -1)
      wish("num_processes", std::to_string(processes), place(top, "num_processes"), /*mustMatch=*/false);
    else if (top.text("num_processes"))
      config.openProcesses = place(top, "num_processes");
    for (const char *key : {"machine_rank", "main_process_ip", "main_process_port"})
      if (top.text(key))
        config.notes.push_back(place(top, key) + ": " +
                               (machines == 1 ? "there is one machine" : "ranks on several machines find each other by their launcher"));
    if (std::optional<std::string> ids = top.text("gpu_ids"); ids && *ids != "all" && !ids->empty())
      config.gpuIds = *ids;
    return Status();
  }

  int64_t number(const char *key, int64_t absent) const {
    std::optional<std::string> text = top.text(key);
    return text ? std::stoll(*text) : absent;
  }

  Status readPrecision() {
    std::optional<std::string> word = top.text("mixed_precision");
    const char *key = word ? "mixed_precision" : "fp16";
    if (std::optional<std::string> old = top.text("fp16"); old && !word && boolWord(*old) == true)
      word = "fp16";
    if (!word)
      return Status();
    config.precision = SettingWish{"mixed_precision", *word, place(top, key)};
    // `no` leaves the choice to --bf16 and its default, as the reference's trainer does.
    if (*word != "no")
      wish(*word, "true", place(top, key), /*mustMatch=*/true);
    return Status();
  }

  Status readDynamo() {
    auto at = top.found.find("dynamo_config");
    if (at == top.found.end() || isOff(at->second->value))
      return Status();
    if (const ConfigNode *backend = at->second->value.find("dynamo_backend"); backend && isOff(*backend))
      return Status();
    return fail(top, "dynamo_config", "is " + at->second->value.shown() + ", expected it off; set dynamo_backend: 'NO', the plan is compiled ahead");
  }

  Status readDistribution() {
    std::optional<std::string> type = top.text("distributed_type");
    if (!type)
      return fail(1, "distributed_type", "is missing, expected DEEPSPEED, MULTI_GPU or NO; write which");
    bool sharded = *type == "DEEPSPEED", alone = *type == "NO";
    if (!sharded) {
      if (!inner.found.empty() && !alone)
        return fail(lineOf("deepspeed_config"), "deepspeed_config",
                    "has keys beside distributed_type " + *type + ", expected none; set distributed_type: DEEPSPEED");
      if (const SettingWish *processes = config.wish("num_processes"); alone && processes && processes->value != "1")
        return fail(top, "distributed_type", "is NO beside num_processes " + processes->value + ", expected one process; set DEEPSPEED or MULTI_GPU");
      if (!inner.found.empty())
        config.notes.push_back(document.place(lineOf("deepspeed_config"), "deepspeed_config") +
                               ": its keys have no part beside distributed_type NO, as in the reference; set DEEPSPEED to have them");
      wish("zero_stage", "0", place(top, "distributed_type"), /*mustMatch=*/false);
      return Status();
    }
    if (std::optional<std::string> file = inner.text("deepspeed_config_file"); file && *file != "none")
      return readDsFile(*file);
    return readSubKeys();
  }

  Status readDsFile(const std::string &file) {
    for (const char *key : kOfTheJson)
      if (inner.found.count(key))
        return fail(inner, key, "is set beside deepspeed_config_file, expected it in " + file + " alone; drop it here");
    if (top.text("mixed_precision"))
      return fail(top, "mixed_precision", "is set beside deepspeed_config_file, expected bf16 or fp16 in " + file + " alone; drop it here");
    ZP_RETURN_IF_ERROR(readDsConfig(file, config));
    config.notes.insert(config.notes.begin(), inner.notes.begin(), inner.notes.end());
    return Status();
  }

  Status readSubKeys() {
    int64_t stage = 2; // Accelerate's own default
    for (const SettingWish &found : inner.wishes)
      if (found.setting == "zero_stage")
        stage = std::stoll(found.value);
    if (!inner.text("zero_stage"))
      wish("zero_stage", "2", document.place(lineOf("deepspeed_config"), "zero_stage (Accelerate's default)"), false);
    else if (stage < 0 || stage > 3)
      return fail(inner, "zero_stage", "is " + std::to_string(stage) + ", expected 0, 1, 2 or 3; use 3 for full parameter sharding");
    for (bool parameters : {true, false}) {
      std::string name = parameters ? "offload_param" : "offload_optimizer";
      OffloadWish wish{parameters, inner.text(name + "_device"), inner.text(name + "_nvme_path"), "", ""};
      wish.devicePlace = wish.device ? place(inner, name + "_device") : "";
      wish.pathPlace = wish.path ? place(inner, name + "_nvme_path") : "";
      ZP_RETURN_IF_ERROR(takeOffload(wish, stage, config));
    }
    if (std::optional<std::string> clip = inner.text("gradient_clipping"); clip && isOff(inner.found.at("gradient_clipping")->value))
      config.notes.push_back(place(inner, "gradient_clipping") + ": 0 clips nothing here; DeepSpeed 0.19 would clip at its own default of 1.0");
    config.wishes.insert(config.wishes.end(), inner.wishes.begin(), inner.wishes.end());
    config.notes.insert(config.notes.end(), inner.notes.begin(), inner.notes.end());
    return Status();
  }

  const ConfigDocument &document;
  ConfigNode held; ///< what `top` points into
  ReadKeys top, inner;
  JobConfig config;
};

} // namespace

StatusOr<JobConfig> readAccelerateConfig(const std::string &path) {
  ZP_ASSIGN_OR_RETURN(ConfigDocument document, ConfigDocument::readYaml(path));
  return Importer(document).run();
}

} // namespace zp::fe
