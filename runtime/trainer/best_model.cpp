#include "runtime/trainer/best_model.h"

#include <cmath>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "runtime/schema/run_rules.h"

namespace zp::rt {

BestModelTracker::BestModelTracker(const JobSettings &settings, std::optional<BestModel> from)
    : metric(bestMetricOf(settings)), greater(greaterIsBetter(settings)), found(from) {}

/// NaN for a name that verifyRunSettings doesn't pass.
static double valueOf(const std::string &metric, const EvaluateReport &report) {
  const std::pair<const char *, double> values[] = {{"loss", report.loss()},
                                                    {"loss_of_batches", report.ofBatches.loss},
                                                    {"perplexity", report.perplexity()},
                                                    {"mean_token_accuracy", report.accuracy()},
                                                    {"mean_token_accuracy_of_batches", report.ofBatches.accuracy}};
  for (const auto &[name, value] : values)
    if (metric == name)
      return value;
  return NAN;
}

bool BestModelTracker::offer(uint64_t step, const EvaluateReport &report) {
  if (metric.empty())
    return false;
  const double value = valueOf(metric, report);
  if (std::isnan(value) || (found && !(greater ? value > found->metric : value < found->metric)))
    return false;
  found = BestModel{step, value, found ? std::move(found->checkpoint) : ""};
  return true;
}

void BestModelTracker::saved(uint64_t step, const std::string &directory) {
  if (found && found->step == step)
    found->checkpoint = directory;
}

std::optional<BestModel> bestModelIn(const std::string &trainerState, const std::string &checkpoints) {
  namespace fs = std::filesystem;
  nlohmann::json state = nlohmann::json::parse(trainerState, nullptr, false);
  if (!state.is_object() || !state.value("best_global_step", nlohmann::json()).is_number_unsigned() ||
      !state.value("best_metric", nlohmann::json()).is_number())
    return {};
  BestModel best{state["best_global_step"].get<uint64_t>(), state["best_metric"].get<double>()};
  if (const nlohmann::json said = state.value("best_model_checkpoint", nlohmann::json()); said.is_string()) {
    const fs::path place = said.get<std::string>();
    std::error_code ignored;
    for (const fs::path &path : {checkpoints / place.filename(), place})
      if (best.checkpoint.empty() && fs::is_directory(path, ignored))
        best.checkpoint = path.native();
  }
  return best;
}

} // namespace zp::rt
