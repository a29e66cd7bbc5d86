#include "runtime/trainer/metrics.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

TEST(Metrics, KeepFullPrecisionLineByLine) {
  test::TemporaryDirectory directory;
  auto file = MetricsFile::create(directory.file("metrics.jsonl"));
  ASSERT_TRUE(file.ok());
  StepMetrics m{3, 1.0 / 3, 0.1 + 0.2, 2e-5, 1234567890123ull, 0.6666666666666666, 0.25, 4e3};
  ASSERT_TRUE(file->append(m).ok());
  m.step = 4;
  ASSERT_TRUE(file->append(m).ok());
  std::string text = directory.read("metrics.jsonl"); // while the file is still open: each line is out at once
  size_t newline = text.find('\n');
  auto first = nlohmann::json::parse(text.substr(0, newline)), second = nlohmann::json::parse(text.substr(newline + 1));
  EXPECT_EQ(first["step"], 3);
  EXPECT_EQ(second["step"], 4);
  EXPECT_EQ(first["loss"].get<double>(), 1.0 / 3);
  EXPECT_EQ(first["grad_norm"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(first["learning_rate"].get<double>(), 2e-5);
  EXPECT_EQ(first["num_tokens"].get<uint64_t>(), 1234567890123ull);
  EXPECT_EQ(first["epoch"].get<double>(), 0.6666666666666666);
  EXPECT_EQ(first["step_seconds"].get<double>(), 0.25);
  EXPECT_EQ(first["tokens_per_second"].get<double>(), 4e3);
  EXPECT_EQ(first.size(), 8u);
}

TEST(Metrics, NameTheAccuracyWhereItIsKnown) {
  StepMetrics m{3, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_FALSE(nlohmann::json::parse(metricsLine(m)).contains("mean_token_accuracy"));
  m.accuracy = 0.1 + 0.2;
  EXPECT_EQ(nlohmann::json::parse(metricsLine(m))["mean_token_accuracy"].get<double>(), 0.1 + 0.2);
  auto line = nlohmann::json::parse(evaluationLine({8, 0.5, 2, 0.25, {1.75, 0.5}, 4, 3, 1.5, 1234567890123}));
  EXPECT_EQ(line["step"], 8);
  EXPECT_EQ(line["eval_loss"], 2.0);
  EXPECT_EQ(line["eval_loss_of_batches"], 1.75);
  EXPECT_EQ(line["eval_mean_token_accuracy_of_batches"], 0.5);
  EXPECT_DOUBLE_EQ(line["eval_perplexity"].get<double>(), std::exp(2.0));
  EXPECT_EQ(line["eval_mean_token_accuracy"], 0.25);
  EXPECT_EQ(line["eval_samples_per_second"], 3.0);
  EXPECT_EQ(line["eval_num_tokens"].get<uint64_t>(), 1234567890123ull);
  line = nlohmann::json::parse(evaluationLine({8, 0.5, NAN, 0.25, {}, 4, 3, 1.5})); // JSON has no such number
  EXPECT_TRUE(line["eval_loss"].is_null());
  EXPECT_TRUE(nlohmann::json::parse(evaluationLine({8, 0.5, 1e9, 0.25, {}, 4, 3, 1.5}))["eval_perplexity"].is_null());
}

TEST(Metrics, TellOfTheLossScale) {
  StepMetrics m{3, NAN, INFINITY, 1, 1, 1, 1, 1};
  m.lossScale = 32768;
  m.skippedSteps = 2;
  auto line = nlohmann::json::parse(metricsLine(m));
  EXPECT_TRUE(line["loss"].is_null());
  EXPECT_TRUE(line["grad_norm"].is_null());
  EXPECT_EQ(line["loss_scale"], 32768);
  EXPECT_EQ(line["skipped_steps"], 2);
}

// As the reference's logging_nan_inf_filter has it: (sum so far) / (1 + steps since the last log).
TEST(Metrics, LeaveALossThatIsNoNumberOutOfTheMean) {
  EXPECT_EQ(lossToLog(3, 10, 4), 3);
  EXPECT_EQ(lossToLog(NAN, 10, 4), 2);
  EXPECT_EQ(lossToLog(INFINITY, 0, 0), 0);
}

TEST(Metrics, SayThatAPlaceCannotBeWritten) {
  auto file = MetricsFile::create("/nowhere/metrics.jsonl");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), ErrorCode::DiskWrite);
  auto full = MetricsFile::create("/dev/full");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->append({}).code(), ErrorCode::DiskFull);
}

TEST(Metrics, GoOnAfterTheLinesOfAnEarlierRun) {
  test::TemporaryDirectory directory;
  auto line = [](uint64_t step) { return metricsLine({step, 1, 1, 1, 1, 1, 1, 1}) + "\n"; };
  // Two later steps, one said twice, and a line that a kill tore.
  std::string earlier = directory.write("earlier.jsonl", line(1) + line(2) + line(2) + line(3) + line(4) + line(5).substr(0, 30));
  for (const char *name : {"earlier.jsonl", "new.jsonl"}) {
    auto file = MetricsFile::resume(directory.file(name), earlier, 3);
    ASSERT_TRUE(file.ok()) << file.status().toString();
    ASSERT_TRUE(file->append({4, 2}).ok());
    EXPECT_EQ(directory.read(name), line(1) + line(2) + line(3) + metricsLine({4, 2}) + "\n") << name;
    directory.write("earlier.jsonl", line(1) + line(2) + line(3) + line(4));
  }
  // Evaluations are counted by themselves; one may come before the first update.
  auto evaluated = [](uint64_t step) { return evaluationLine({step, 1, 1, 1, 1, 1, 1}) + "\n"; };
  earlier = directory.write("earlier.jsonl",
                            evaluated(0) + line(1) + line(2) + evaluated(2) + evaluated(2) + line(3) + evaluated(3) + line(4) + evaluated(4));
  ASSERT_TRUE(MetricsFile::resume(directory.file("new.jsonl"), earlier, 3).ok());
  EXPECT_EQ(directory.read("new.jsonl"), evaluated(0) + line(1) + line(2) + evaluated(2) + line(3) + evaluated(3));
  auto alone = MetricsFile::resume(directory.file("alone.jsonl"), directory.file("none.jsonl"), 3);
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(directory.read("alone.jsonl"), "");
}

} // namespace
} // namespace zp::rt
