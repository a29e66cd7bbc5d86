#include "runtime/trainer/training_log.h"

#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "runtime/schema/run_rules.h"

namespace zp::rt {

using nlohmann::json;

namespace {

constexpr double kEvalSteps = 500; // the reference's default, where nothing is evaluated by steps and no flag says otherwise

/// The log's entries out of metrics.jsonl, a line at a time.
class History {
public:
  explicit History(const LoggingPolicy &policy) : policy(policy) {}

  void take(const json &line) {
    const uint64_t step = line["step"].get<uint64_t>();
    if (!begin)
      begin = step;
    if (line.contains("eval_loss"))
      return (void)entries.push_back(line);
    for (const char *key : kMeans)
      if (line.contains(key)) {
        double &sum = sums[key];
        sum += lossToLog(line[key].is_number() ? line[key].get<double>() : NAN, sum, updates);
      }
    ++updates;
    if (!policy.after(step))
      return;
    json entry = {{"step", step}};
    for (const char *key : {"grad_norm", "learning_rate", "epoch"})
      if (line.contains(key) && line[key].is_number())
        entry[key] = line[key].get<double>();
    for (const char *key : {"num_tokens", "loss_scale", "skipped_steps"})
      if (line.contains(key))
        entry[key] = line[key];
    for (const auto &[key, sum] : sums)
      entry[key] = sum / static_cast<double>(updates);
    entries.push_back(std::move(entry));
    sums.clear();
    updates = 0;
  }

  json entries = json::array();
  std::optional<uint64_t> begin; ///< the step of the first line

private:
  /// What an entry has the mean of, over the updates since the entry before.
  static constexpr const char *kMeans[] = {"loss", "mean_token_accuracy"};
  LoggingPolicy policy;
  uint64_t updates = 0;
  std::map<std::string, double> sums;
};

json logHistory(const TrainingLog &log, const JobSettings &settings) {
  History history(LoggingPolicy(settings, log.updates, log.updatesPerEpoch));
  for (size_t at = 0, end; (end = log.metrics.find('\n', at)) != std::string::npos; at = end + 1) {
    json line =
        json::parse(log.metrics.begin() + static_cast<std::ptrdiff_t>(at), log.metrics.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (!line.is_object() || !line.value("step", json()).is_number_unsigned() ||
        !(line.value("eval_loss", json()).is_number() || line.contains("loss")))
      continue;
    if (line["step"].get<uint64_t>() > log.step)
      break;
    history.take(line);
  }
  json before = json::parse(log.earlier, nullptr, false), whole = json::array();
  if (before.is_object() && before.value("log_history", json()).is_array())
    for (const json &entry : before["log_history"])
      if (entry.is_object() && entry.value("step", json()).is_number_unsigned() && entry["step"].get<uint64_t>() <= log.step &&
          (!history.begin || entry["step"].get<uint64_t>() < *history.begin))
        whole.push_back(entry);
  whole.insert(whole.end(), history.entries.begin(), history.entries.end());
  if (log.summary)
    whole.push_back({{"train_runtime", log.summary->seconds},
                     {"train_samples_per_second", log.summary->rowsPerSecond},
                     {"train_steps_per_second", log.summary->updatesPerSecond},
                     {"train_loss", log.summary->loss},
                     {"epoch", log.summary->epoch},
                     {"step", log.summary->step},
                     {"total_flos", 0.0}});
  return whole;
}

/// As the run's length and its epochs make them.
int64_t epochsOf(const TrainingLog &log, const JobSettings &settings) {
  if (settings.max_steps > 0 && log.updatesPerEpoch > 0)
    return static_cast<int64_t>((log.updates + log.updatesPerEpoch - 1) / log.updatesPerEpoch);
  return static_cast<int64_t>(std::ceil(settings.num_train_epochs));
}

double evalStepsToSay(const JobSettings &settings) {
  return settings.eval_steps > 0 || settings.eval_strategy == "steps" ? evalStepsOf(settings) : kEvalSteps;
}

} // namespace

std::string trainerStateText(const TrainingLog &log, const JobSettings &settings) {
  json history = logHistory(log, settings);
  json control = {{"args",
                   {{"should_epoch_stop", false},
                    {"should_evaluate", false},
                    {"should_log", false},
                    {"should_save", true},
                    {"should_training_stop", log.step >= log.updates}}},
                  {"attributes", json::object()}};
  json state = {{"best_global_step", log.best ? json(log.best->step) : json(nullptr)},
                {"best_metric", log.best ? json(log.best->metric) : json(nullptr)},
                {"best_model_checkpoint", log.best && !log.best->checkpoint.empty() ? json(log.best->checkpoint) : json(nullptr)},
                {"epoch", log.epoch},
                {"eval_steps", stepsOf(evalStepsToSay(settings), log.updates)},
                {"global_step", log.step},
                {"is_hyper_param_search", false},
                {"is_local_process_zero", true},
                {"is_world_process_zero", true},
                {"log_history", std::move(history)},
                {"logging_steps", stepsOf(settings.logging_steps, log.updates)},
                {"max_steps", log.updates},
                {"num_input_tokens_seen", log.tokens},
                {"num_train_epochs", epochsOf(log, settings)},
                {"save_steps", stepsOf(settings.save_steps, log.updates)},
                {"stateful_callbacks", {{"TrainerControl", std::move(control)}}},
                {"total_flos", 0.0},
                {"train_batch_size", settings.per_device_train_batch_size},
                {"trial_name", nullptr},
                {"trial_params", nullptr}};
  return state.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

} // namespace zp::rt
