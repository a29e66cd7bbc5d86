#include "runtime/trainer/run_log.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

// What Python prints: {k: f"{v:.4g}"} of each.
TEST(RunLog, PrintsAsPythonDoes) {
  const Scalar values[] = {{"loss", 2.54321}, {"learning_rate", 2e-5}, {"num_tokens", 123456789}, {"epoch", 1}, {"grad_norm", 0}};
  EXPECT_EQ(pythonDict(values), "{'loss': '2.543', 'learning_rate': '2e-05', 'num_tokens': '1.235e+08', 'epoch': '1', 'grad_norm': '0'}");
  EXPECT_EQ(pythonDict({}), "{}");
}

TEST(RunLog, SpeaksEveryLoggingStepWithTheMeansSinceTheLast) {
  JobSettings settings;
  settings.logging_steps = 2;
  RunLogOptions options;
  options.policy = LoggingPolicy(settings, 5, 5);
  auto log = RunLog::create(options);
  ASSERT_TRUE(log.ok());
  testing::internal::CaptureStdout();
  for (uint64_t step = 1; step <= 5; ++step) {
    StepMetrics metrics{step, static_cast<double>(step), 0.5, 0.1, 10 * step, static_cast<double>(step)};
    metrics.accuracy = static_cast<double>(step) / 10;
    ASSERT_TRUE(log->update(metrics).ok());
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "{'loss': '1.5', 'grad_norm': '0.5', 'learning_rate': '0.1', "
                                                    "'mean_token_accuracy': '0.15', 'num_tokens': '20', 'epoch': '2'}\n"
                                                    "{'loss': '3.5', 'grad_norm': '0.5', 'learning_rate': '0.1', "
                                                    "'mean_token_accuracy': '0.35', 'num_tokens': '40', 'epoch': '4'}\n");
}

// transformers' DefaultFlowCallback: the steps after which should_log is set, of 10 updates in epochs of 4.
TEST(LoggingPolicy, LogsWhereTheReferenceDoes) {
  auto steps = [](const char *strategy, double every, bool first) {
    JobSettings settings;
    settings.logging_strategy = strategy;
    settings.logging_steps = every;
    settings.logging_first_step = first;
    LoggingPolicy policy(settings, 10, 4);
    std::vector<int> out;
    for (uint64_t step = 1; step <= 10; ++step)
      if (policy.after(step))
        out.push_back(static_cast<int>(step));
    return out;
  };
  using Steps = std::vector<int>;
  EXPECT_EQ(steps("steps", 4, false), (Steps{4, 8})) << "the end is no time by itself";
  EXPECT_EQ(steps("steps", 4, true), (Steps{1, 4, 8}));
  EXPECT_EQ(steps("steps", 0.25, false), (Steps{3, 6, 9})) << "a share of all updates, rounded up";
  EXPECT_EQ(steps("steps", 500, false), Steps());
  EXPECT_EQ(steps("epoch", 1, false), (Steps{4, 8, 10})) << "the last update ends its epoch";
  EXPECT_EQ(steps("epoch", 1, true), (Steps{1, 4, 8, 10}));
  EXPECT_EQ(steps("no", 1, false), Steps());
  EXPECT_EQ(steps("no", 1, true), Steps{1});
  EXPECT_TRUE(LoggingPolicy().after(1) && LoggingPolicy().after(2));
}

TEST(RunLog, TellsOfTheLossScaleInFp16) {
  auto log = RunLog::create({});
  ASSERT_TRUE(log.ok());
  StepMetrics metrics{1, 2, INFINITY, 0.1, 10, 1};
  metrics.lossScale = 65536;
  metrics.skippedSteps = 1;
  testing::internal::CaptureStdout();
  ASSERT_TRUE(log->update(metrics).ok());
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "{'loss': '2', 'grad_norm': 'inf', 'learning_rate': '0.1', 'loss_scale': '6.554e+04', "
                                                    "'skipped_steps': '1', 'num_tokens': '10', 'epoch': '1'}\n");
}

} // namespace
} // namespace zp::rt
