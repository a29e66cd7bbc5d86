#include "runtime/trainer/training_log.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <nlohmann/json.hpp>

namespace zp::rt {

using nlohmann::json;

namespace {

/// An entry every logging step: the loss is the mean over the updates since the entry before.
json logHistory(const TrainingLog &log, uint64_t every) {
  json history = json::array();
  double lossSum = 0;
  uint64_t losses = 0, first = 0;
  for (size_t at = 0, end; (end = log.metrics.find('\n', at)) != std::string::npos; at = end + 1) {
    json line = json::parse(log.metrics.begin() + static_cast<std::ptrdiff_t>(at),
                            log.metrics.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (!line.is_object() || !line.value("step", json()).is_number_unsigned() ||
        !line.value("loss", json()).is_number())
      continue;
    uint64_t step = line["step"].get<uint64_t>();
    if (step > log.step)
      break;
    first = first ? first : step;
    lossSum += line["loss"].get<double>();
    ++losses;
    if (step % every != 0)
      continue;
    json entry = {{"loss", lossSum / static_cast<double>(losses)}, {"step", step}};
    for (const char *key : {"grad_norm", "learning_rate", "num_tokens", "epoch"})
      if (line.contains(key) && line[key].is_number())
        entry[key] =
            key == std::string_view("num_tokens") ? line[key] : json(line[key].get<double>());
    history.push_back(std::move(entry));
    lossSum = 0;
    losses = 0;
  }
  json before = json::parse(log.earlier, nullptr, false), whole = json::array();
  if (before.is_object() && before.value("log_history", json()).is_array())
    for (const json &entry : before["log_history"])
      if (entry.is_object() && entry.value("step", json()).is_number_unsigned() &&
          entry["step"].get<uint64_t>() <= log.step &&
          (first == 0 || entry["step"].get<uint64_t>() < first))
        whole.push_back(entry);
  if (whole.empty())
    return history;
  whole.insert(whole.end(), history.begin(), history.end());
  return whole;
}

} // namespace

std::string trainerStateText(const TrainingLog &log, const JobSettings &settings) {
  json history =
      logHistory(log, static_cast<uint64_t>(std::max<int64_t>(1, settings.logging_steps)));
  json control = {{"args",
                   {{"should_epoch_stop", false},
                    {"should_evaluate", false},
                    {"should_log", false},
                    {"should_save", true},
                    {"should_training_stop", log.step >= log.updates}}},
                  {"attributes", json::object()}};
  auto steps = [](double value) {
    return value == std::floor(value) ? json(static_cast<int64_t>(value)) : json(value);
  };
  json state = {{"best_global_step", nullptr},
                {"best_metric", nullptr},
                {"best_model_checkpoint", nullptr},
                {"epoch", log.epoch},
                {"eval_steps", 500},
                {"global_step", log.step},
                {"is_hyper_param_search", false},
                {"is_local_process_zero", true},
                {"is_world_process_zero", true},
                {"log_history", std::move(history)},
                {"logging_steps", settings.logging_steps},
                {"max_steps", log.updates},
                {"num_input_tokens_seen", log.tokens},
                {"num_train_epochs", static_cast<int64_t>(std::ceil(settings.num_train_epochs))},
                {"save_steps", steps(settings.save_steps)},
                {"stateful_callbacks", {{"TrainerControl", std::move(control)}}},
                {"total_flos", 0.0},
                {"train_batch_size", settings.per_device_train_batch_size},
                {"trial_name", nullptr},
                {"trial_params", nullptr}};
  return state.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

} // namespace zp::rt
