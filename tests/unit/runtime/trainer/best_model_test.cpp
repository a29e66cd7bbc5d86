// The best model: transformers' Trainer._determine_best_metric.
#include "runtime/trainer/best_model.h"

#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "runtime/schema/run_rules.h"
#include "tests/unit/runtime/io/temporary_directory.h"

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

// Of the reference's means another one may be the best.
TEST(BestModel, IsThatOfBatchesWhereItIsAskedFor) {
  for (const auto &[metric, wanted] :
       {std::pair("loss", 1u), {"loss_of_batches", 2u}, {"mean_token_accuracy", 1u}, {"eval_mean_token_accuracy_of_batches", 2u}}) {
    JobSettings settings;
    settings.metric_for_best_model = metric;
    EXPECT_TRUE(verifyRunSettings(settings).ok()) << metric;
    BestModelTracker tracker(settings, {});
    EvaluateReport first = report(2, 0.4), second = report(3, 0.3);
    first.ofBatches = {2.5, 0.2};
    second.ofBatches = {2.25, 0.3};
    tracker.offer(1, first);
    tracker.offer(2, second);
    EXPECT_EQ(tracker.best()->step, wanted) << metric;
  }
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

// The reference's best_model_checkpoint: of the best at the time of a save.
TEST(BestModel, KeepsTheLastCheckpointThatWasTheBest) {
  JobSettings settings;
  settings.metric_for_best_model = "loss";
  BestModelTracker tracker(settings, {});
  tracker.saved(1, "of nothing");
  tracker.offer(2, report(3, 0));
  EXPECT_EQ(tracker.best()->checkpoint, "");
  tracker.saved(2, "out/checkpoint-2");
  tracker.offer(3, report(2, 0));
  EXPECT_EQ(tracker.best()->step, 3u);
  EXPECT_EQ(tracker.best()->checkpoint, "out/checkpoint-2") << "the better one wasn't saved";
  tracker.saved(4, "out/checkpoint-4");
  EXPECT_EQ(tracker.best()->checkpoint, "out/checkpoint-2") << "which isn't the best";
  tracker.offer(6, report(1, 0));
  tracker.saved(6, "out/checkpoint-6");
  EXPECT_EQ(tracker.best()->checkpoint, "out/checkpoint-6");
}

TEST(BestModel, IsFoundWhereTheRunHasBeenMovedTo) {
  test::TemporaryDirectory directory;
  auto found = [&](const std::string &checkpoint) {
    return bestModelIn(R"({"best_global_step": 7, "best_metric": 2.5, "best_model_checkpoint": ")" + checkpoint + "\"}", directory.path)->checkpoint;
  };
  const std::string here = directory.file("checkpoint-7"), there = directory.file("elsewhere/checkpoint-7");
  EXPECT_EQ(found(there), "") << "it is gone";
  std::filesystem::create_directories(there);
  EXPECT_EQ(found(there), there);
  std::filesystem::create_directories(here);
  EXPECT_EQ(found(there), here) << "beside the checkpoint that the run goes on from";
  EXPECT_EQ(found("of/old/checkpoint-7"), here);
  EXPECT_EQ(bestModelIn(R"({"best_global_step": 7, "best_metric": 2.5, "best_model_checkpoint": null})", directory.path)->checkpoint, "");
  EXPECT_FALSE(bestModelIn("{}", directory.path).has_value());
}

} // namespace
} // namespace zp::rt
