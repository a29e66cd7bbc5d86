// The best model: transformers' Trainer._determine_best_metric.
#include "runtime/trainer/best_model.h"

#include <cmath>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

EvaluateReport report(double loss, double accuracy) {
  EvaluateReport out;
  out.all = {100 * loss, 100 * accuracy, 100};
  return out;
}

TEST(BestModel, SaysWhenThereIsANewOne) {
  JobSettings settings;
  settings.metric_for_best_model = "loss";
  BestModelTracker tracker(settings, {});
  EXPECT_TRUE(tracker.offer(1, report(3, 0)));
  EXPECT_FALSE(tracker.offer(2, report(3, 0)));
  EXPECT_FALSE(tracker.offer(3, report(NAN, 0)));
  EXPECT_TRUE(tracker.offer(4, report(2, 0)));
}

uint64_t bestOf(const JobSettings &settings, std::optional<BestModel> from = {}) {
  BestModelTracker tracker(settings, from);
  tracker.offer(1, report(3, 0.2));
  tracker.offer(2, report(2, 0.1));
  tracker.offer(3, report(2, 0.1)); // as good: the first stays
  tracker.offer(4, report(4, 0.3));
  tracker.offer(5, report(NAN, NAN));
  return tracker.best() ? tracker.best()->step : 0;
}

TEST(BestModel, IsOfTheMetricThatWasAskedFor) {
  JobSettings settings;
  EXPECT_EQ(bestOf(settings), 0u) << "nobody asked";
  settings.load_best_model_at_end = true;
  EXPECT_EQ(bestOf(settings), 2u);
  settings.metric_for_best_model = "eval_perplexity";
  EXPECT_EQ(bestOf(settings), 2u);
  settings.metric_for_best_model = "mean_token_accuracy";
  EXPECT_EQ(bestOf(settings), 4u);
  settings.greater_is_better = "false";
  EXPECT_EQ(bestOf(settings), 2u);
}

TEST(BestModel, GoesOnFromAnEarlierPart) {
  JobSettings settings;
  settings.load_best_model_at_end = true;
  EXPECT_EQ(bestOf(settings, BestModel{9, 1.5}), 9u);
  EXPECT_EQ(bestOf(settings, BestModel{9, 2.5}), 2u);
}

} // namespace
} // namespace zp::rt
