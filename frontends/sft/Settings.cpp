#include "frontends/sft/Settings.h"

#include <cstdlib>
#include <map>

#include "frontends/common/JsonDocument.h"
#include "frontends/common/SettingsVerifier.h"

namespace zp::fe {

namespace {

struct Source {
  std::string value, origin;
};

void store(const std::string &text, int64_t &value) { value = std::strtoll(text.c_str(), nullptr, 10); }
void store(const std::string &text, double &value) { value = std::strtod(text.c_str(), nullptr); }
void store(const std::string &text, bool &value) { value = text == "true"; }
void store(const std::string &text, std::string &value) { value = text; }

/// 1e-4 and 0.0001 are the same.
bool same(const std::string &a, const std::string &b) {
  char *endOfA = nullptr, *endOfB = nullptr;
  double first = std::strtod(a.c_str(), &endOfA), second = std::strtod(b.c_str(), &endOfB);
  bool numbers = !a.empty() && !b.empty() && !*endOfA && !*endOfB;
  return numbers ? first == second : a == b;
}

class Resolver {
public:
  Resolver(const SftArguments &arguments, const JobConfig &config, SftJob &job)
      : arguments(arguments), config(config), job(job) {}

  Status run() {
    takeFlags();
    ZP_RETURN_IF_ERROR(takePrecision());
    ZP_RETURN_IF_ERROR(takeSwitch("gradient_checkpointing", "rematerialize", "block"));
    ZP_RETURN_IF_ERROR(takeSwitch("activation_offloading", "offload_activation_device", "cpu"));
    for (const SettingWish &wish : config.wishes)
      ZP_RETURN_IF_ERROR(takeWish(wish));
    ZP_RETURN_IF_ERROR(takeThreshold());
    if (config.trainBatch)
      ZP_RETURN_IF_ERROR(deriveBatch(*config.trainBatch));
    takeDefaults();
    job.values = JobSettings();
    job.values.forEach([&](const char *name, auto &value, const char *) {
      auto at = sources.find(name);
      if (at == sources.end())
        return;
      store(at->second.value, value);
      job.settings.push_back({name, at->second.value, at->second.origin});
    });
    return verifySettings(job.values);
  }

private:
  void takeFlags() {
    JobSettings().forEach([&](const char *name, const auto &, const char *) {
      if (arguments.given.count(name) && sftFlags().find(name)->use != KeyUse::Run)
        sources[name] = {arguments.get(name), std::string("--") + name};
    });
  }

  /// `accelerate launch --mixed_precision` stands for the trainer's two flags.
  Status takePrecision() {
    std::string word = arguments.get("mixed_precision");
    if (word.empty())
      return Status();
    for (const char *dtype : {"bf16", "fp16"}) {
      std::string meant = word == dtype ? "true" : "false";
      if (sources.count(dtype) && sources[dtype].value != meant)
        return Status(ErrorCode::Config, std::string("--mixed_precision: is ") + word + " beside --" + dtype + " " +
                                             sources[dtype].value + ", expected one wish; drop one of the two");
      sources[dtype] = {meant, "--mixed_precision"};
    }
    return Status();
  }

  /// The trainer's switch for a setting that takes a word; `none` when it is off. Any other word of the setting's own agrees with on.
  Status takeSwitch(const std::string &flag, const std::string &setting, const char *on) {
    if (!arguments.given.count(flag))
      return Status();
    std::string meant = arguments.isOn(flag) ? on : "none";
    auto at = sources.find(setting);
    if (at != sources.end() && (at->second.value != "none") == arguments.isOn(flag))
      return Status();
    if (at != sources.end())
      return Status(ErrorCode::Config, "--" + flag + ": means --" + setting + " " + meant + ", but that is " +
                                           at->second.value + ", expected one wish; drop one of the two");
    sources[setting] = {meant, "--" + flag};
    return Status();
  }

  Status takeWish(const SettingWish &wish) {
    auto at = sources.find(wish.setting);
    if (at == sources.end()) {
      sources[wish.setting] = {wish.value, wish.place};
      return Status();
    }
    if (!wish.mustMatch || same(at->second.value, wish.value))
      return Status();
    return Status(ErrorCode::Config, wish.place + ": is " + wish.value + ", expected " + at->second.value + " as " +
                                         at->second.origin + " says; set it to auto, or drop one of the two");
  }

  /// stage3_param_persistence_threshold: auto.
  Status takeThreshold() {
    const char *setting = "stage3_param_persistence_threshold";
    if (config.hiddenThreshold.empty() || sources.count(setting))
      return Status();
    ZP_ASSIGN_OR_RETURN(JsonDocument model, JsonDocument::read(job.model + "/config.json"));
    JsonReader reader(model);
    int64_t hidden = reader.integer("hidden_size", reader.integer({"text_config", "hidden_size"}, 0));
    ZP_RETURN_IF_ERROR(reader.status());
    if (hidden < 1 || hidden > 1 << 30)
      return Status(ErrorCode::Config, config.hiddenThreshold + ": is auto, expected a hidden_size in " + model.name() +
                                           " to make it from; write a number");
    sources[setting] = {std::to_string(10 * hidden), config.hiddenThreshold + " (auto: 10 x hidden_size)"};
    return Status();
  }

  /// train_batch_size = micro-batch x accumulation x ranks: what isn't given follows, what is given must fit.
  Status deriveBatch(const SettingWish &total) {
    const char *micro = "per_device_train_batch_size", *accumulation = "gradient_accumulation_steps";
    auto known = [&](const char *name) { return sources.count(name) ? std::stoll(sources[name].value) : 0; };
    const int64_t rows = std::stoll(total.value), ranks = std::max<int64_t>(known("num_processes"), 1);
    auto failure = [&](int64_t parts, const std::string &what) {
      return Status(ErrorCode::Config, total.place + ": is " + total.value + ", expected " + what + " " +
                                           std::to_string(parts) + " (" +
                                           batchText(known(micro), known(accumulation), ranks) + "); set it to auto");
    };
    int64_t m = known(micro), a = known(accumulation);
    // Out-of-range factors have their own error.
    if (m < 0 || a < 0 || m > 1 << 30 || a > 1 << 30 || ranks > 1 << 20 || (m && a && m * a > INT64_MAX / ranks))
      return Status();
    if (m && a)
      return m * a * ranks == rows ? Status() : failure(m * a * ranks, "the product");
    int64_t parts = ranks * std::max<int64_t>(m, 1) * std::max<int64_t>(a, 1);
    if (rows < 1 || rows % parts != 0)
      return failure(parts, "a positive multiple of");
    if (!a)
      sources[accumulation] = {std::to_string(m ? rows / parts : 1), total.place};
    if (!m)
      sources[micro] = {std::to_string(rows / parts), total.place};
    return Status();
  }

  static std::string batchText(int64_t micro, int64_t accumulation, int64_t ranks) {
    std::string text;
    if (micro)
      text += "per_device_train_batch_size " + std::to_string(micro) + ", ";
    if (accumulation)
      text += "gradient_accumulation_steps " + std::to_string(accumulation) + ", ";
    return text + "num_processes " + std::to_string(ranks);
  }

  void takeDefaults() {
    auto add = [&](const std::string &name, const char *value, const char *whose) {
      bool lora = name.starts_with("lora_");
      if (lora && (sources["use_peft_lora"].value != "true" || !job.adapter.empty()))
        return;
      if (name == "bf16" && sources.count("fp16") && sources["fp16"].value == "true")
        return;
      if (!sources.count(name))
        sources[name] = {value, whose};
    };
    if (!job.adapter.empty() && !sources.count("use_peft_lora"))
      sources["use_peft_lora"] = {"true", "--adapter_name_or_path"};
#define ZP_SFT_DEFAULT(name, value, whose) add(#name, value, whose);
#include "frontends/sft/SftDefaults.inc"
#undef ZP_SFT_DEFAULT
  }

  const SftArguments &arguments;
  const JobConfig &config;
  SftJob &job;
  std::map<std::string, Source> sources;
};

} // namespace

Status resolveSettings(const SftArguments &arguments, const JobConfig &config, SftJob &job) {
  return Resolver(arguments, config, job).run();
}

} // namespace zp::fe
