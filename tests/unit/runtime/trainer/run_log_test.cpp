#include "runtime/trainer/run_log.h"

#include <cmath>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

// What Python prints: {k: f"{v:.4g}"} of each.
TEST(RunLog, PrintsAsPythonDoes) {
  const Scalar values[] = {{"loss", 2.54321}, {"learning_rate", 2e-5}, {"num_tokens", 123456789}, {"epoch", 1}, {"grad_norm", 0}};
  EXPECT_EQ(pythonDict(values),
            "{'loss': '2.543', 'learning_rate': '2e-05', 'num_tokens': '1.235e+08', 'epoch': '1', 'grad_norm': '0'}");
  EXPECT_EQ(pythonDict({}), "{}");
}

TEST(RunLog, SpeaksEveryLoggingStepWithTheMeansSinceTheLast) {
  RunLogOptions options;
  options.loggingSteps = 2;
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
