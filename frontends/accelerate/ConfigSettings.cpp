#include "frontends/accelerate/ConfigSettings.h"

#include <algorithm>
#include <cstdlib>
#include <type_traits>

#include "frontends/common/JsonDocument.h"
#include "runtime/base/number_text.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

namespace {

/// 1e-4 and 0.0001 are the same.
bool same(const std::string &a, const std::string &b) {
  char *endOfA = nullptr, *endOfB = nullptr;
  double first = std::strtod(a.c_str(), &endOfA), second = std::strtod(b.c_str(), &endOfB);
  bool numbers = !a.empty() && !b.empty() && !*endOfA && !*endOfB;
  return numbers ? first == second : a == b;
}

class Adder {
public:
  Adder(const JobConfig &config, const std::string &model, SettingSources &sources, std::vector<std::string> &notes)
      : config(config), model(model), sources(sources), notes(notes) {}

  Status run() {
    if (!config.openProcesses.empty() && !sources.count("num_processes"))
      return Status(ErrorCode::Config, config.openProcesses + ": is -1, expected the number of ranks; write it there, or give --num_processes");
    for (const SettingWish &wish : config.wishes)
      ZP_RETURN_IF_ERROR(takeWish(wish));
    ZP_RETURN_IF_ERROR(checkPrecision());
    ZP_RETURN_IF_ERROR(takeThreshold());
    if (config.warmup)
      ZP_RETURN_IF_ERROR(checkWarmup(*config.warmup));
    noteClipping();
    return config.trainBatch ? deriveBatch(*config.trainBatch) : Status();
  }

private:
  Status takeWish(const SettingWish &wish) {
    if (wish.unsaid) {
      takeUnsaid(wish);
      return Status();
    }
    auto at = sources.find(wish.setting);
    if (wish.overFlags && at != sources.end() && !same(at->second.value, wish.value))
      notes.push_back(wish.place + ": " + wish.value + " goes before " + at->second.origin + " " + at->second.value + ", as in the reference");
    if (wish.overFlags || at == sources.end()) {
      sources[wish.setting] = {wish.value, wish.place};
      return Status();
    }
    if (!wish.mustMatch || same(at->second.value, wish.value))
      return Status();
    return disagrees(wish, at->second.value, at->second.origin);
  }

  /// Where it changes nothing there is nothing to say.
  void takeUnsaid(const SettingWish &wish) {
    const auto at = sources.find(wish.setting);
    const bool given = at != sources.end();
    if (same(given ? at->second.value : initialOf(wish.setting), wish.value))
      return;
    notes.push_back(wish.place + ": is absent, and DeepSpeed's own default " + wish.value +
                    (given ? " goes before " + at->second.origin + " " + at->second.value : " is taken") +
                    ", as in the reference; write \"auto\" to leave it to --" + wish.setting);
    sources[wish.setting] = {wish.value, wish.place + " (DeepSpeed's default)"};
  }

  /// All that goes unsaid are numbers.
  static std::string initialOf(const std::string &setting) {
    std::string word;
    JobSettings().forEach([&](const char *name, const auto &value, const char *) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>)
        if (name == setting)
          word = numberText(value);
    });
    return word;
  }

  /// The flag is somebody's wish, and the file says nothing.
  void noteClipping() {
    const auto flag = sources.find("max_grad_norm");
    if (!config.unsaidClipping.empty() && flag != sources.end() && !same(flag->second.value, "1"))
      notes.push_back(
          config.unsaidClipping + ": is absent, and " + flag->second.origin + " " + flag->second.value +
          " is what gradients are clipped at; DeepSpeed 0.19 would clip at its own default of 1.0; write \"auto\" to have the same there");
  }

  static Status disagrees(const SettingWish &wish, const std::string &expected, const std::string &origin) {
    const bool isWord = wish.place.ends_with("mixed_precision"); // which stands for two flags, and is never auto
    return Status(ErrorCode::Config, wish.place + (isWord ? ": means --" + wish.setting + " " : ": is ") + wish.value + ", expected " + expected +
                                         " as " + origin + " says; " + (isWord ? "" : "set it to auto, or ") + "drop one of the two");
  }

  /// One of the two dtypes may be the file's and the other a flag's.
  Status checkPrecision() const {
    for (auto [mine, other] : {std::pair("bf16", "fp16"), std::pair("fp16", "bf16")}) {
      const SettingWish *wish = config.wish(mine);
      const auto taken = sources.find(mine), beside = sources.find(other);
      if (wish && taken != sources.end() && taken->second.value == "true" && taken->second.origin == wish->place && beside != sources.end() &&
          beside->second.value == "true")
        return Status(ErrorCode::Config,
                      wish->place + ": means --" + mine + ", expected " + other + " as " + beside->second.origin + " says; drop one of the two");
    }
    return Status();
  }

  /// The schedule has its warm-up from the file. A share of the run is compared when the run's length is known.
  Status checkWarmup(const SettingWish &wish) const {
    auto flag = sources.find("warmup_steps");
    if (flag == sources.end())
      flag = sources.find("warmup_ratio");
    if (flag == sources.end())
      return Status();
    const double given = std::strtod(flag->second.value.c_str(), nullptr);
    const bool share = given > 0 && (given < 1 || flag->first == "warmup_ratio");
    const std::string expected = given >= 1 ? flag->second.value : "1"; // without warm-up the reference writes 1
    return share || same(wish.value, expected) ? Status() : disagrees(wish, expected, flag->second.origin);
  }

  /// stage3_param_persistence_threshold: auto, which the reference fills in at stage 3.
  Status takeThreshold() {
    const char *setting = "stage3_param_persistence_threshold";
    const auto stage = sources.find("zero_stage");
    if (config.hiddenThreshold.empty() || sources.count(setting) || stage == sources.end() || stage->second.value != "3")
      return Status();
    ZP_ASSIGN_OR_RETURN(JsonDocument document, JsonDocument::read(model + "/config.json"));
    JsonReader reader(document);
    int64_t hidden = 0;
    for (const char *key : {"n_embed", "hidden_size", "d_model", "n_embd"}) // BLOOM's n_embed goes before its hidden_size
      hidden = hidden ? hidden : reader.integer(key, 0);
    hidden = hidden ? hidden : reader.integer({"text_config", "hidden_size"}, 0);
    ZP_RETURN_IF_ERROR(reader.status());
    if (hidden < 1 || hidden > 1 << 30)
      return Status(ErrorCode::Config,
                    config.hiddenThreshold + ": is auto, expected a hidden_size in " + document.name() + " to make it from; write a number");
    sources[setting] = {std::to_string(10 * hidden), config.hiddenThreshold + " (auto: 10 x hidden_size)"};
    return Status();
  }

  /// train_batch_size = micro-batch x accumulation x ranks: what isn't given follows, what is given must fit.
  Status deriveBatch(const SettingWish &total) {
    const char *micro = "per_device_train_batch_size", *accumulation = "gradient_accumulation_steps";
    auto known = [&](const char *name) { return sources.count(name) ? std::stoll(sources[name].value) : 0; };
    const int64_t rows = std::stoll(total.value), ranks = std::max<int64_t>(known("num_processes"), 1);
    auto failure = [&](int64_t parts, const std::string &what) {
      return Status(ErrorCode::Config, total.place + ": is " + total.value + ", expected " + what + " " + std::to_string(parts) + " (" +
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

  const JobConfig &config;
  const std::string &model;
  SettingSources &sources;
  std::vector<std::string> &notes;
};

} // namespace

Status addConfigSettings(const JobConfig &config, const std::string &model, SettingSources &sources, std::vector<std::string> &notes) {
  return Adder(config, model, sources, notes).run();
}

} // namespace zp::fe
