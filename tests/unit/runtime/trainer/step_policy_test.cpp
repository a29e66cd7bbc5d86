// When the reference saves: transformers 5.23, TrainerState.compute_steps and DefaultFlowCallback.
#include "runtime/trainer/step_policy.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

std::vector<uint64_t> saves(const char *strategy, double steps, uint64_t updates, uint64_t updatesPerEpoch = 4) {
  JobSettings settings;
  settings.save_strategy = strategy;
  settings.save_steps = steps;
  auto policy = StepPolicy::ofSaving(settings, updates, updatesPerEpoch);
  EXPECT_TRUE(policy.ok()) << policy.status().toString();
  std::vector<uint64_t> out;
  for (uint64_t step = 0; step <= updates; ++step)
    if (policy->after(step))
      out.push_back(step);
  return out;
}

using Steps = std::vector<uint64_t>;

TEST(StepPolicy, EverySoManyStepsAndAtTheEnd) {
  EXPECT_EQ(saves("steps", 3, 10), (Steps{3, 6, 9, 10}));
  EXPECT_EQ(saves("steps", 5, 10), (Steps{5, 10}));
  EXPECT_EQ(saves("steps", 500, 10), (Steps{10}));
  EXPECT_EQ(saves("steps", 1, 3), (Steps{1, 2, 3}));
}

TEST(StepPolicy, AShareOfTheRunIsRoundedUp) {
  EXPECT_EQ(saves("steps", 0.25, 10), (Steps{3, 6, 9, 10}));
  EXPECT_EQ(saves("steps", 0.001, 3), (Steps{1, 2, 3}));
  EXPECT_EQ(saves("steps", 0, 10), (Steps{10}));
}

TEST(StepPolicy, AtTheEndOfEpochsAndOfTheRun) {
  EXPECT_EQ(saves("epoch", 500, 10), (Steps{4, 8, 10}));
  EXPECT_EQ(saves("epoch", 500, 8), (Steps{4, 8}));
}

TEST(StepPolicy, Never) { EXPECT_TRUE(saves("no", 1, 10).empty()); }

TEST(StepPolicy, TheBestIsDecidedByEvaluations) {
  JobSettings settings;
  settings.save_strategy = "best";
  EXPECT_EQ(StepPolicy::ofSaving(settings, 10, 4).status().code(), ErrorCode::Config) << "nothing is evaluated";
  settings.eval_strategy = "steps";
  EXPECT_EQ(StepPolicy::ofSaving(settings, 10, 4).status().code(), ErrorCode::Config) << "by no metric";
  settings.metric_for_best_model = "loss";
  auto policy = StepPolicy::ofSaving(settings, 10, 4);
  ASSERT_TRUE(policy.ok()) << policy.status().toString();
  EXPECT_TRUE(policy->ofTheBest());
  for (uint64_t step = 0; step <= 10; ++step) {
    EXPECT_FALSE(policy->after(step));
    EXPECT_EQ(policy->beforeTheEnd(step), step < 9) << "any evaluation before the last update may ask for one";
  }
  settings.metric_for_best_model = "";
  settings.load_best_model_at_end = true; // its metric is the loss, and steps of saving don't matter
  settings.eval_steps = 3;
  EXPECT_TRUE(StepPolicy::ofSaving(settings, 10, 4).ok());
  settings.eval_strategy = "best";
  EXPECT_EQ(StepPolicy::ofEvaluation(settings, 10, 4, 2.5).status().code(), ErrorCode::Config);
}

TEST(StepPolicy, RefusesWhatHasNoMeaning) {
  for (auto [strategy, steps] : {std::pair("best", 1.0), {"", 1.0}, {"steps", -1.0}, {"steps", 1.5}, {"steps", NAN}, {"steps", INFINITY}}) {
    JobSettings settings;
    settings.save_strategy = strategy;
    settings.save_steps = steps;
    EXPECT_EQ(StepPolicy::ofSaving(settings, 10, 4).status().code(), ErrorCode::Config) << strategy << " " << steps;
  }
}

TEST(StepPolicy, EvaluationGoesByItsOwnSettings) {
  auto evaluations = [](const char *strategy, double steps, double delay, double logging, double epochs = 2.5) {
    JobSettings settings;
    settings.eval_strategy = strategy;
    settings.eval_steps = steps;
    settings.eval_delay = delay;
    settings.logging_steps = logging;
    auto policy = StepPolicy::ofEvaluation(settings, 10, 4, epochs);
    EXPECT_TRUE(policy.ok()) << policy.status().toString();
    Steps out;
    for (uint64_t step = 0; step <= 10; ++step)
      if (policy->after(step))
        out.push_back(step);
    return out;
  };
  EXPECT_EQ(evaluations("no", 1, 0, 1), Steps());
  EXPECT_EQ(evaluations("steps", 4, 0, 1), (Steps{4, 8, 10}));
  EXPECT_EQ(evaluations("steps", 0, 0, 5), (Steps{5, 10}));
  EXPECT_EQ(evaluations("steps", 0.5, 0, 1), (Steps{5, 10}));
  EXPECT_EQ(evaluations("steps", 2, 5, 1), (Steps{6, 8, 10}));
  EXPECT_EQ(evaluations("epoch", 1, 0, 1), (Steps{4, 8, 10}));
  EXPECT_EQ(evaluations("epoch", 1, 2, 1), (Steps{8, 10}));
  EXPECT_EQ(evaluations("epoch", 1, 2.6, 1), Steps());
  EXPECT_EQ(evaluations("epoch", 1, 2.6, 1, 2.625), (Steps{10})) << "10 updates of 4 of 8 rounds by 2, 2, 1... are 2.625 epochs";
  EXPECT_EQ(evaluations("steps", 4, 10.5, 1, 20), Steps()) << "a delay of updates";
}

/// What it says of the updates that are left is what it says of each of them.
TEST(StepPolicy, KnowsWhetherAnythingComesBeforeTheEnd) {
  for (const char *strategy : {"steps", "epoch", "no"})
    for (double steps : {0.0, 0.25, 1.0, 3.0, 9.0, 10.0, 500.0, 1e18})
      for (double delay : {0.0, 0.5, 2.0, 9.0, 1e300}) {
        JobSettings settings;
        settings.save_strategy = settings.eval_strategy = strategy;
        settings.save_steps = settings.eval_steps = steps;
        settings.eval_delay = delay;
        for (const auto &policy : {StepPolicy::ofSaving(settings, 10, 4), StepPolicy::ofEvaluation(settings, 10, 4, 2.5)}) {
          ASSERT_TRUE(policy.ok()) << policy.status().toString();
          for (uint64_t done = 0; done <= 10; ++done) {
            bool any = false;
            for (uint64_t step = done + 1; step < 10; ++step)
              any |= policy->after(step);
            EXPECT_EQ(policy->beforeTheEnd(done), any) << strategy << " " << steps << " " << delay << " " << done;
          }
        }
      }
}

TEST(StepPolicy, HasTheReferencesDefaults) {
  JobSettings settings;
  EXPECT_EQ(settings.save_strategy, "steps");
  EXPECT_EQ(settings.save_steps, 500);
  EXPECT_EQ(settings.save_total_limit, 0);
}

} // namespace
} // namespace zp::rt
