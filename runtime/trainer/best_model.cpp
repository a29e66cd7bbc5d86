#include "runtime/trainer/best_model.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "runtime/schema/run_rules.h"

namespace zp::rt {

BestModelTracker::BestModelTracker(const JobSettings &settings, std::optional<BestModel> from)
    : metric(bestMetricOf(settings)), greater(greaterIsBetter(settings)), found(from) {}

bool BestModelTracker::offer(uint64_t step, const EvaluateReport &report) {
  if (metric.empty())
    return false;
  const double value = metric == "loss" ? report.loss() : metric == "perplexity" ? report.perplexity() : report.accuracy();
  if (std::isnan(value) || (found && !(greater ? value > found->metric : value < found->metric)))
    return false;
  found = BestModel{step, value};
  return true;
}

std::optional<BestModel> bestModelIn(const std::string &trainerState) {
  nlohmann::json state = nlohmann::json::parse(trainerState, nullptr, false);
  if (!state.is_object() || !state.value("best_global_step", nlohmann::json()).is_number_unsigned() ||
      !state.value("best_metric", nlohmann::json()).is_number())
    return {};
  return BestModel{state["best_global_step"].get<uint64_t>(), state["best_metric"].get<double>()};
}

} // namespace zp::rt
