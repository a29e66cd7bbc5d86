#include "runtime/schema/run_rules.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "runtime/base/checked_math.h"
#include "runtime/base/number_text.h"

namespace zp::rt {

namespace {

constexpr int64_t kMostRows = 1 << 30;
constexpr std::string_view kPrefix = "eval_";
constexpr const char *kBest = "best";
constexpr const char *kMetrics[] = {"loss", "loss_of_batches", "perplexity", "mean_token_accuracy", "mean_token_accuracy_of_batches"};

Status wrong(const char *flag, const std::string &is, const std::string &expected) {
  return Status(ErrorCode::Config, std::string("--") + flag + ": is " + is + ", expected " + expected);
}

Status verifyStrategy(const char *flag, const std::string &word, bool best) {
  if (word == "steps" || word == "epoch" || word == "no" || (best && word == kBest))
    return {};
  return wrong(flag, "\"" + word + "\"",
               std::string(best ? "steps, epoch, best or no; give --" : "steps, epoch or no; give --") + flag + " one of these");
}

/// A number of updates, or a share of them.
Status verifySteps(const char *flag, double steps) {
  if (steps >= 0 && std::isfinite(steps) && (steps < 1 || steps == std::floor(steps)))
    return {};
  return wrong(flag, numberText(steps), std::string("a whole number of updates, or a share of the run below 1; give --") + flag + " one of these");
}

/// Every checkpoint has an evaluation when their steps are multiples of the evaluations'. Shares are compared as millionths.
bool isMultiple(double saves, double evaluations) {
  const bool shares = saves < 1 && evaluations < 1;
  if (!shares && (saves < 1 || evaluations < 1))
    return false;
  const double scale = shares ? 1e6 : 1;
  return std::fmod(std::round(saves * scale), std::round(evaluations * scale)) == 0;
}

/// DeepSpeed's names and what its DynamicLossScaler can do: a window of 0 divides by zero there. Without fp16 they are void, but a
/// wrong number is wrong.
Status verifyLossScale(const JobSettings &s) {
  constexpr double kMostScale = 0x1p127;
  constexpr int64_t kMostUpdates = 9'000'000'000'000'000;
  if (!(s.loss_scale >= 0 && s.loss_scale <= kMostScale))
    return wrong("loss_scale", numberText(s.loss_scale), "0 for a scale that finds itself, or one up to 2^127; use 0");
  if (s.initial_scale_power < 0 || s.initial_scale_power > 127)
    return wrong("initial_scale_power", std::to_string(s.initial_scale_power), "0 to 127; use 16");
  if (s.loss_scale_window < 1 || s.loss_scale_window > kMostUpdates)
    return wrong("loss_scale_window", std::to_string(s.loss_scale_window), "1 or more updates; use 1000");
  if (s.hysteresis < 1 || s.hysteresis > kMostUpdates)
    return wrong("hysteresis", std::to_string(s.hysteresis), "1 or more overflows; use 2");
  if (!(s.min_loss_scale >= 0x1p-126 && s.min_loss_scale <= kMostScale))
    return wrong("min_loss_scale", numberText(s.min_loss_scale), "a positive scale up to 2^127; use 1");
  return {};
}

Status verifyBest(const JobSettings &s) {
  const std::string metric = bestMetricOf(s);
  bool known = metric.empty();
  for (const char *name : kMetrics)
    known |= metric == name;
  if (!known)
    return wrong(
        "metric_for_best_model", "\"" + s.metric_for_best_model + "\"",
        "loss, perplexity or mean_token_accuracy, or of the reference's means loss_of_batches or mean_token_accuracy_of_batches; choose one");
  if (!s.greater_is_better.empty() && s.greater_is_better != "true" && s.greater_is_better != "false")
    return wrong("greater_is_better", "\"" + s.greater_is_better + "\"", "true or false; choose one");
  if (s.save_strategy == kBest && s.eval_strategy == "no")
    return wrong("save_strategy", "best without evaluation", "one that says which model is the best; add --eval_strategy steps or epoch");
  if (s.save_strategy == kBest && metric.empty())
    return wrong("save_strategy", "best without a metric", "one to be the best by; add --metric_for_best_model loss");
  if (!s.load_best_model_at_end)
    return {};
  const char *flag = "load_best_model_at_end";
  if (s.eval_strategy == "no")
    return wrong(flag, "true without evaluation", "one that says which model is the best; add --eval_strategy steps or epoch");
  if (s.save_strategy == kBest)
    return {}; // every model that can be the best is saved
  if (s.eval_strategy != s.save_strategy)
    return wrong(flag, "true beside --eval_strategy " + s.eval_strategy + " and --save_strategy " + s.save_strategy,
                 "checkpoints where the model is evaluated; give both the same word");
  if (s.eval_strategy == "steps" && !isMultiple(s.save_steps, evalStepsOf(s)))
    return wrong(flag, "true beside --save_steps " + numberText(s.save_steps) + " and --eval_steps " + numberText(evalStepsOf(s)),
                 "every checkpoint evaluated; make --save_steps a multiple of --eval_steps");
  return {};
}

} // namespace

Status verifyRunSettings(const JobSettings &s) {
  ZP_RETURN_IF_ERROR(verifyLossScale(s));
  ZP_RETURN_IF_ERROR(verifyStrategy("logging_strategy", s.logging_strategy, false));
  if (s.logging_steps == 0)
    return wrong("logging_steps", "0", "1 or more updates, or a share of the run; use 1, or --logging_strategy no");
  ZP_RETURN_IF_ERROR(verifySteps("logging_steps", s.logging_steps));
  ZP_RETURN_IF_ERROR(verifyStrategy("save_strategy", s.save_strategy, true));
  ZP_RETURN_IF_ERROR(verifySteps("save_steps", s.save_steps));
  if (s.save_total_limit < 0)
    return wrong("save_total_limit", std::to_string(s.save_total_limit), "0 (all are kept) or more checkpoints; use 0");
  ZP_RETURN_IF_ERROR(verifyStrategy("eval_strategy", s.eval_strategy, false));
  ZP_RETURN_IF_ERROR(verifySteps("eval_steps", s.eval_steps));
  if (s.per_device_eval_batch_size < 1 || s.per_device_eval_batch_size > kMostRows)
    return wrong("per_device_eval_batch_size", std::to_string(s.per_device_eval_batch_size), "1 to 2^30 rows; use 8");
  if (!(s.eval_delay >= 0 && std::isfinite(s.eval_delay)))
    return wrong("eval_delay", numberText(s.eval_delay), "0 or more updates or epochs; use 0");
  return verifyBest(s);
}

Status verifyUpdateSize(const JobSettings &s, uint64_t ranks) {
  if (s.per_device_train_batch_size < 1 || s.per_device_train_batch_size > kMostRows)
    return wrong("per_device_train_batch_size", std::to_string(s.per_device_train_batch_size), "1 to 2^30 rows; use 1 at least");
  if (s.gradient_accumulation_steps < 1 || s.gradient_accumulation_steps > kMostRows)
    return wrong("gradient_accumulation_steps", std::to_string(s.gradient_accumulation_steps), "1 to 2^30 micro-batches; use 1 at least");
  uint64_t rows = static_cast<uint64_t>(s.per_device_train_batch_size) * static_cast<uint64_t>(s.gradient_accumulation_steps);
  if (!checkedMul(rows, ranks, rows) || rows > static_cast<uint64_t>(kMostRows))
    return wrong("gradient_accumulation_steps",
                 std::to_string(s.gradient_accumulation_steps) + " beside --per_device_train_batch_size " +
                     std::to_string(s.per_device_train_batch_size) + " on " + std::to_string(ranks) + " ranks",
                 "at most 2^30 rows of an update; use less accumulation");
  return {};
}

Status verifyEpochs(const JobSettings &s) {
  constexpr double kMost = 1 << 30;
  if (s.max_steps > 0 || (s.num_train_epochs > 0 && s.num_train_epochs <= kMost))
    return {};
  return wrong("num_train_epochs", numberText(s.num_train_epochs), "a positive number up to 2^30; use 1 or --max_steps");
}

std::string bestMetricOf(const JobSettings &s) {
  std::string metric = s.metric_for_best_model;
  if (metric.starts_with(kPrefix))
    metric.erase(0, kPrefix.size());
  return metric.empty() && s.load_best_model_at_end ? "loss" : metric;
}

bool greaterIsBetter(const JobSettings &s) {
  return s.greater_is_better.empty() ? bestMetricOf(s).starts_with("mean_token_accuracy") : s.greater_is_better == "true";
}

uint64_t stepsOf(double steps, uint64_t updates) {
  return static_cast<uint64_t>(steps >= 1 ? std::min(steps, 1e18) : std::ceil(static_cast<double>(updates) * steps));
}

double evalStepsOf(const JobSettings &s) { return s.eval_steps > 0 ? s.eval_steps : s.logging_steps; }

} // namespace zp::rt
