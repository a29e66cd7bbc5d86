#include "frontends/sft/Settings.h"

#include <cstdlib>

#include "frontends/accelerate/ConfigSettings.h"
#include "frontends/common/JsonDocument.h"
#include "frontends/common/SettingsVerifier.h"

namespace zp::fe {

namespace {

void store(const std::string &text, int64_t &value) { value = std::strtoll(text.c_str(), nullptr, 10); }
void store(const std::string &text, double &value) { value = std::strtod(text.c_str(), nullptr); }
void store(const std::string &text, bool &value) { value = text == "true"; }
void store(const std::string &text, std::string &value) { value = text; }

class Resolver {
public:
  Resolver(const SftArguments &arguments, const JobConfig &config, SftJob &job) : arguments(arguments), config(config), job(job) {}

  Status run() {
    takeFlags();
    ZP_RETURN_IF_ERROR(takePrecision());
    JobConfig config = ofFlags();
    ZP_RETURN_IF_ERROR(takeSwitch("gradient_checkpointing", "rematerialize", "block"));
    ZP_RETURN_IF_ERROR(takeSwitch("activation_offloading", "offload_activation_device", "cpu"));
    ZP_RETURN_IF_ERROR(addConfigSettings(config, job.model, sources, job.notes));
    if (config.precision)
      noteLaunchersWord(*config.precision);
    if (arguments.get("mode") == "seq2seq")
      takeTokenizersLength();
    takeDefaults();
    job.values = JobSettings();
    job.values.forEach([&](const char *name, auto &value, const char *) {
      if (arguments.given.count(name) && sftFlags().find(name)->use == KeyUse::Run)
        store(arguments.get(name), value); // zprun takes it, and not the plan
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

  /// `accelerate launch --mixed_precision` stands for the trainer's two flags; `no` leaves it to them.
  Status takePrecision() {
    std::string word = arguments.get("mixed_precision");
    if (word.empty() || word == "no")
      return Status();
    for (const char *dtype : {"bf16", "fp16"}) {
      std::string meant = word == dtype ? "true" : "false";
      if (sources.count(dtype) && sources[dtype].value != meant)
        return Status(ErrorCode::Config, std::string("--mixed_precision: is ") + word + " beside --" + dtype + " " + sources[dtype].value +
                                             ", expected one wish; drop one of the two");
      sources[dtype] = {meant, "--mixed_precision"};
    }
    return Status();
  }

  /// The file, but for its mixed_precision where that is a flag.
  JobConfig ofFlags() const {
    JobConfig out = config;
    if (!arguments.given.count("mixed_precision"))
      return out;
    std::erase_if(out.wishes, [&](const SettingWish &wish) { return config.precision && wish.place == config.precision->place; });
    out.precision = SettingWish{"mixed_precision", arguments.get("mixed_precision"), "--mixed_precision"};
    return out;
  }

  /// In the reference the trainer's default goes over the launcher's word. Here it goes over `no`, which is nobody's wish, and not over fp16.
  void noteLaunchersWord(const SettingWish &word) {
    const bool half = sources.count("fp16") && sources["fp16"].value == "true";
    if (word.value == "no" && !sources.count("bf16") && !half)
      job.notes.push_back(word.place + ": no leaves the dtype to --bf16, whose default is true, as in the reference; --bf16 false computes in fp32");
    if (word.value == "fp16" && !arguments.isOn("fp16") && !arguments.given.count("bf16"))
      job.notes.push_back(word.place + ": computing is in fp16, as it says; the reference's trainer would go over it with its own default, bf16; "
                                       "give --fp16 to have the same there, or set bf16");
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
      return Status(ErrorCode::Config, "--" + flag + ": means --" + setting + " " + meant + ", but that is " + at->second.value +
                                           ", expected one wish; drop one of the two");
    sources[setting] = {meant, "--" + flag};
    return Status();
  }

  /// A source is as long as its tokenizer says when nobody else does, as in the reference's truncation; not longer than ours.
  void takeTokenizersLength() {
    StatusOr<JsonDocument> tokenizer = JsonDocument::read(job.model + "/tokenizer_config.json");
    if (sources.count("max_source_length") || !tokenizer.ok())
      return;
    JsonReader reader(*tokenizer);
    const double length = reader.number("model_max_length", 0); // 1e30 where there is none
    if (reader.status().ok() && length >= 1 && length < static_cast<double>(JobSettings().max_source_length))
      sources["max_source_length"] = {std::to_string(static_cast<int64_t>(length)), "tokenizer_config.json: model_max_length"};
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
  SettingSources sources;
};

} // namespace

Status resolveSettings(const SftArguments &arguments, const JobConfig &config, SftJob &job) { return Resolver(arguments, config, job).run(); }

} // namespace zp::fe
