#include "runtime/trainer/run_log.h"

#include <cmath>
#include <vector>

namespace zp::rt {

std::string pythonDict(std::span<const Scalar> values) {
  std::string text = "{";
  for (const auto &[name, value] : values) {
    char member[128];
    std::snprintf(member, sizeof member, "%s'%s': '%.4g'", text.size() > 1 ? ", " : "", name.c_str(), value);
    text += member;
  }
  return text + "}";
}

/// The reference's groups: eval_x is eval/x, everything else train/x.
static std::string tagOf(const std::string &name) { return name.starts_with("eval_") ? "eval/" + name.substr(5) : "train/" + name; }

static void addAccuracy(std::vector<Scalar> &values, const char *name, double accuracy) {
  if (!std::isnan(accuracy))
    values.emplace_back(name, accuracy);
}

StatusOr<RunLog> RunLog::create(const RunLogOptions &options) {
  RunLog log;
  log.options = options;
  if (!options.eventDirectory.empty()) {
    ZP_ASSIGN_OR_RETURN(log.events, EventFile::create(options.eventDirectory));
  }
  return log;
}

Status RunLog::say(uint64_t step, std::span<const Scalar> values) {
  if (options.lines) {
    std::printf("%s\n", pythonDict(values).c_str());
    std::fflush(stdout);
  }
  if (!events)
    return {};
  std::vector<Scalar> tagged;
  for (const auto &[name, value] : values)
    tagged.emplace_back(tagOf(name), value);
  return events->add(step, tagged);
}

Status RunLog::update(const StepMetrics &m) {
  lossSum += lossToLog(m.loss, lossSum, updates);
  accuracySum += m.accuracy;
  ++updates;
  if (!options.policy.after(m.step))
    return {};
  const auto count = static_cast<double>(updates);
  std::vector<Scalar> values = {{"loss", lossSum / count}, {"grad_norm", m.gradNorm}, {"learning_rate", m.learningRate}};
  addAccuracy(values, "mean_token_accuracy", accuracySum / count);
  if (!std::isnan(m.lossScale)) {
    values.emplace_back("loss_scale", m.lossScale);
    values.emplace_back("skipped_steps", static_cast<double>(m.skippedSteps));
  }
  values.emplace_back("num_tokens", static_cast<double>(m.numTokens));
  values.emplace_back("epoch", m.epoch);
  lossSum = accuracySum = 0;
  updates = 0;
  return say(m.step, values);
}

Status RunLog::evaluation(const EvaluationMetrics &m) {
  std::vector<Scalar> values = {{"eval_loss", m.loss},
                                {"eval_runtime", m.seconds},
                                {"eval_samples_per_second", m.rowsPerSecond},
                                {"eval_steps_per_second", m.roundsPerSecond},
                                {"eval_loss_of_batches", m.ofBatches.loss},
                                {"eval_perplexity", std::exp(m.loss)}};
  addAccuracy(values, "eval_mean_token_accuracy", m.accuracy);
  addAccuracy(values, "eval_mean_token_accuracy_of_batches", m.ofBatches.accuracy);
  values.emplace_back("eval_num_tokens", static_cast<double>(m.numTokens));
  values.emplace_back("epoch", m.epoch);
  return say(m.step, values);
}

Status RunLog::summary(const RunSummary &s) {
  const Scalar values[] = {{"train_runtime", s.seconds},
                           {"train_samples_per_second", s.rowsPerSecond},
                           {"train_steps_per_second", s.updatesPerSecond},
                           {"train_loss", s.loss},
                           {"epoch", s.epoch}};
  return say(s.step, values);
}

} // namespace zp::rt
