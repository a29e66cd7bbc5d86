// What the loop feeds an executor: rows, lengths, counts, rates; and what it does with the answers.
#include "runtime/trainer/loop.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "runtime/trainer/stop_request.h"
#include "tests/unit/runtime/io/temporary_directory.h"
#include "tests/unit/runtime/lone_rank.h"
#include "tests/unit/runtime/trainer/recording_executor.h"

namespace zp::rt {
namespace {

/// Entries: train_step with rows of 4 (0) and of 8 (1) tokens, apply_gradients (2); `first` binds entry 1 to that position
/// and adds the middle (3) and last (4).
std::vector<uint8_t> planBytes(uint32_t batch, bool positions) {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<fbs::Tensor>> tensors;
  auto tensor = [&](DType dtype, std::vector<int64_t> dims) {
    tensors.push_back(fbs::CreateTensorDirect(b, 0, 0, static_cast<uint8_t>(dtype), &dims));
    return static_cast<uint32_t>(tensors.size() - 1);
  };
  std::vector<flatbuffers::Offset<fbs::Entry>> entries;
  std::vector<flatbuffers::Offset<fbs::Instruction>> none;
  auto scalars = tensor(DType::U8, {64});
  auto step = [&](uint32_t length, fbs::Position position) {
    std::vector<flatbuffers::Offset<fbs::NamedTensor>> inputs, outputs;
    for (const char *name : kDecoderColumns)
      inputs.push_back(fbs::CreateNamedTensorDirect(b, name, tensor(DType::I32, {int64_t{batch} * length})));
    inputs.push_back(fbs::CreateNamedTensorDirect(b, "scalars", scalars));
    entries.push_back(fbs::CreateEntryDirect(b, fbs::EntryKind::TrainStep, position, batch, length, &inputs, &outputs, &none));
  };
  if (!positions) {
    step(4, fbs::Position::Any);
    step(8, fbs::Position::Any);
  } else {
    step(8, fbs::Position::First);
    step(8, fbs::Position::Last);
  }
  std::vector<flatbuffers::Offset<fbs::NamedTensor>> inputs = {fbs::CreateNamedTensorDirect(b, "scalars", scalars)};
  std::vector<flatbuffers::Offset<fbs::NamedTensor>> outputs = {fbs::CreateNamedTensorDirect(b, "metrics", tensor(DType::F64, {4}))};
  entries.push_back(fbs::CreateEntryDirect(b, fbs::EntryKind::ApplyGradients, fbs::Position::Any, 0, 0, &inputs, &outputs, &none));
  if (positions)
    step(8, fbs::Position::Middle);
  b.Finish(fbs::CreatePlanDirect(b, 2, "cpu", nullptr, "", "", 100, 0, nullptr, nullptr, &tensors, nullptr, &entries));
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

class LoopTest : public testing::Test {
protected:
  /// Row r holds the token r everywhere; its real length is `lengths[r]`, its counted labels that less one.
  void writeData(std::vector<int> lengths) {
    std::vector<int32_t> columns[4];
    for (size_t r = 0; r < lengths.size(); ++r)
      for (int t = 0; t < 8; ++t) {
        columns[0].push_back(static_cast<int32_t>(r));
        columns[1].push_back(t < lengths[r] ? 1 : -100);
        columns[2].push_back(t);
        columns[3].push_back(t < lengths[r] ? 0 : -1);
      }
    std::vector<SafetensorsEntry> entries;
    for (const char *name : kDecoderColumns)
      entries.push_back({name, SafetensorsDtype::I32, {lengths.size(), 8}});
    auto writer = SafetensorsWriter::create(directory.file("t.safetensors"), entries, nullptr);
    for (size_t c = 0; c < 4; ++c)
      ASSERT_TRUE(writer->write(kTokenColumns[c], 0, columns[c].data(), columns[c].size() * 4).ok());
    ASSERT_TRUE(writer->finish().ok());
  }
  StatusOr<LoopReport> train(int rank, int ranks, bool positions = false) {
    bytes = planBytes(static_cast<uint32_t>(settings.per_device_train_batch_size), positions);
    const fbs::Plan &plan = *flatbuffers::GetRoot<fbs::Plan>(bytes.data());
    executor = std::make_unique<test::RecordingExecutor>(plan);
    executor->onRun = [&](uint32_t entry) {
      if (entry == 2) {
        double metrics[4] = {loss, overflows.count(applied++) ? INFINITY : 0.5, 1, 10};
        std::memcpy(executor->view(outputOfApply()).data, metrics, sizeof metrics);
      }
      return runStatus;
    };
    applied = 0;
    auto dataset = TokenDataset::open(directory.file("t.safetensors"), 8, 100);
    EXPECT_TRUE(dataset.ok()) << dataset.status().toString();
    test::LoneRank communicator(rank, ranks);
    LoopOptions options;
    options.outputDirectory = directory.path;
    options.quiet = true;
    options.from = from;
    options.earlierMetrics = directory.file("metrics.jsonl");
    return trainLoop(plan, settings, *dataset, *executor, communicator, options);
  }
  uint32_t outputOfApply() const { return flatbuffers::GetRoot<fbs::Plan>(bytes.data())->entries()->Get(2)->outputs()->Get(0)->tensor(); }
  static std::string withoutSeconds(const std::string &lines) {
    std::string out;
    for (size_t at = 0, end; (end = lines.find('\n', at)) != std::string::npos; at = end + 1)
      out += lines.substr(at, lines.find("\"step_seconds\"", at) - at) + "\n";
    return out;
  }
  std::vector<nlohmann::json> metrics() const {
    std::vector<nlohmann::json> out;
    std::istringstream lines(directory.read("metrics.jsonl"));
    for (std::string line; std::getline(lines, line);)
      out.push_back(nlohmann::json::parse(line));
    return out;
  }
  std::vector<uint32_t> ran() const {
    std::vector<uint32_t> out;
    for (const test::Run &run : executor->runs)
      out.push_back(run.entry);
    return out;
  }
  void SetUp() override {
    settings.per_device_train_batch_size = 2;
    settings.gradient_accumulation_steps = 2;
    settings.train_sampling_strategy = "sequential";
    settings.num_train_epochs = 1;
    settings.learning_rate = 0.1;
    settings.seed = 9;
  }
  test::TemporaryDirectory directory;
  JobSettings settings;
  std::vector<uint8_t> bytes;
  std::unique_ptr<test::RecordingExecutor> executor;
  double loss = 2;
  std::set<int> overflows; ///< updates of the run whose gradients aren't finite
  int applied = 0;
  RunPosition from;
  Status runStatus;
};

TEST_F(LoopTest, FeedsEachRankItsRows) {
  writeData({8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8});
  auto report = train(1, 2);
  ASSERT_TRUE(report.ok()) << report.status().toString();
  EXPECT_EQ(report->updates, 2u);
  ASSERT_EQ(ran(), (std::vector<uint32_t>{1, 1, 2, 1, 2})) << "the empty micro-batch of the last update is left out";
  auto &runs = executor->runs;
  EXPECT_EQ(runs[0].tokens["input_ids"][0], 2);
  EXPECT_EQ(runs[0].tokens["input_ids"][8], 3);
  EXPECT_EQ(runs[1].tokens["input_ids"][0], 6);
  EXPECT_EQ(runs[0].scalars.rowBase, 2u);
  EXPECT_EQ(runs[1].scalars.rowBase, 6u);
  EXPECT_EQ(runs[0].scalars.countedLabels, 56.0) << "both ranks, both micro-batches, position 0 left out";
  EXPECT_EQ(runs[3].tokens["input_ids"][0], 10);
  EXPECT_EQ(runs[3].tokens["labels"][8], -100) << "padding where rows have run out";
  EXPECT_EQ(runs[3].tokens["segment_ids"][8], -1);
  EXPECT_EQ(runs[3].scalars.countedLabels, 21.0);
  EXPECT_EQ(report->tokens, 88u);
}

TEST_F(LoopTest, GivesTheOptimizerItsScalars) {
  writeData({8, 8, 8, 8, 8, 8, 8, 8});
  settings.num_train_epochs = 3;
  ASSERT_TRUE(train(0, 2).ok());
  const StepScalars &last = executor->runs.back().scalars;
  EXPECT_EQ(last.optimizerStep, 3u);
  EXPECT_EQ(last.seed, 9u);
  EXPECT_FLOAT_EQ(last.learningRate, 0.1f / 3);
  EXPECT_FLOAT_EQ(last.biasCorrection1, static_cast<float>(1 - 0.9 * 0.9 * 0.9));
  EXPECT_FLOAT_EQ(last.biasCorrection2, static_cast<float>(1 - 0.999 * 0.999 * 0.999));
  EXPECT_EQ(last.lossScale, 1.0f);
}

// What transformers' Trainer logged under a DeepSpeed config with an optimizer section, and without: the updates were the same.
TEST_F(LoopTest, LogsTheNextUpdatesRateWhereTheReferenceDoes) {
  writeData({8, 8, 8, 8});
  settings.learning_rate = 0.01;
  settings.warmup_steps = 2;
  settings.max_steps = 4;
  const std::vector<double> used = {0, 0.005, 0.01, 0.005}, next = {0.005, 0.01, 0.005, 0};
  for (bool late : {false, true}) {
    settings.logging_next_learning_rate = late;
    ASSERT_TRUE(train(0, 1).ok());
    std::vector<double> rates, logged;
    for (const test::Run &run : executor->runs)
      if (run.entry == 2)
        rates.push_back(run.scalars.learningRate);
    for (const nlohmann::json &line : metrics())
      logged.push_back(line["learning_rate"]);
    ASSERT_EQ(rates.size(), 4u);
    ASSERT_EQ(logged.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_FLOAT_EQ(static_cast<float>(rates[i]), static_cast<float>(used[i]));
      EXPECT_DOUBLE_EQ(logged[i], (late ? next : used)[i]);
    }
  }
}

TEST_F(LoopTest, TakesTheShortestEntryThatHoldsAllRanksRows) {
  writeData({3, 4, 2, 4, 1, 1, 8, 1}); // the first round is short everywhere; in the second rank 1 has a long row
  ASSERT_TRUE(train(0, 2).ok());
  EXPECT_EQ(ran(), (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_EQ(executor->runs[0].tokens["input_ids"].size(), 8u);
  EXPECT_EQ(executor->runs[0].tokens["input_ids"][4], 1) << "the second row follows after 4 tokens";
}

TEST_F(LoopTest, ObeysPositions) {
  writeData({8, 8, 8});
  settings.per_device_train_batch_size = 1;
  settings.gradient_accumulation_steps = 4;
  ASSERT_TRUE(train(0, 1, true).ok());
  EXPECT_EQ(ran(), (std::vector<uint32_t>{0, 3, 3, 1, 2})) << "first, middle, middle, last: an empty one is run too";
}

TEST_F(LoopTest, TakesMaxStepsOverEpochs) {
  writeData({8, 8, 8});
  settings.max_steps = 5;
  auto report = train(0, 1);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->updates, 5u);
}

TEST_F(LoopTest, GoesOnAsIfItHadNeverStopped) {
  writeData({8, 3, 8, 5, 8, 8, 4});
  settings.train_sampling_strategy = "random";
  settings.num_train_epochs = 4;
  auto whole = train(0, 1);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->updates, 8u);
  EXPECT_EQ(whole->position.updatesPerEpoch, 2u);
  std::vector<test::Run> all = std::move(executor->runs);
  std::string lines = directory.read("metrics.jsonl");
  for (uint64_t stop : {1, 4, 7, 8}) {
    // What a checkpoint of that step says: the tokens are those of its line.
    auto field = [&](const char *name) {
      size_t line = lines.find("{\"step\": " + std::to_string(stop) + ",");
      return std::stod(lines.substr(lines.find(name, line) + std::string(name).size() + 3));
    };
    from = {stop, static_cast<uint64_t>(field("num_tokens")), 2, field("epoch")};
    auto rest = train(0, 1);
    ASSERT_TRUE(rest.ok()) << rest.status().toString();
    EXPECT_EQ(rest->updates, 8u);
    EXPECT_EQ(rest->tokens, whole->tokens);
    EXPECT_EQ(rest->position.epoch, whole->position.epoch);
    EXPECT_EQ(rest->lastLoss, 2);
    const RunSummary &part = rest->summary; // rates are of the updates that were done here
    EXPECT_NEAR(part.updatesPerSecond * part.seconds, 8.0 - static_cast<double>(stop), 1e-9);
    EXPECT_NEAR(part.rowsPerSecond * part.seconds, 28.0 / 8 * (8 - static_cast<double>(stop)), 1e-9);
    ASSERT_LE(executor->runs.size(), all.size());
    for (size_t i = executor->runs.size(), j = all.size(); i-- > 0;) {
      const test::Run &mine = executor->runs[i], &theirs = all[--j];
      EXPECT_EQ(mine.entry, theirs.entry);
      EXPECT_EQ(mine.tokens, theirs.tokens);
      EXPECT_EQ(std::memcmp(&mine.scalars, &theirs.scalars, sizeof mine.scalars), 0);
    }
    EXPECT_EQ(withoutSeconds(directory.read("metrics.jsonl")), withoutSeconds(lines));
  }
}

TEST_F(LoopTest, SaysWhetherTheLastStepIsSaved) {
  writeData({8, 8, 8});
  settings.max_steps = 3;
  EXPECT_TRUE(train(0, 1)->saveAtEnd);
  settings.save_strategy = "no";
  EXPECT_FALSE(train(0, 1)->saveAtEnd);
  settings.save_strategy = "best";
  EXPECT_EQ(train(0, 1).status().code(), ErrorCode::Config);
}

TEST_F(LoopTest, RefusesNonFiniteNumbers) {
  writeData({8, 8, 8, 8});
  loss = NAN;
  auto report = train(0, 1);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.status().code(), ErrorCode::NonFinite);
  EXPECT_EQ(exitCodeOf(report.status().code()), 5);
  EXPECT_EQ(report.status().message().find("step 1: "), 0u);
}

TEST_F(LoopTest, SkipsWhatOverflowsInFp16) {
  writeData({8, 8, 8, 8});
  settings.fp16 = true;
  settings.initial_scale_power = 4;
  settings.hysteresis = 1;
  settings.max_steps = 5;
  overflows = {1, 2};
  auto report = train(0, 1);
  ASSERT_TRUE(report.ok()) << report.status().toString();
  EXPECT_EQ(report->updates, 5u) << "skipped ones are counted";
  ASSERT_TRUE(report->position.scaling);
  EXPECT_EQ(report->position.scaling->scale, 4);
  EXPECT_EQ(report->position.scaling->skipped, 2u);
  std::vector<StepScalars> scalars;
  for (const test::Run &run : executor->runs)
    if (run.entry == 2)
      scalars.push_back(run.scalars);
  const double counted = 28, scales[] = {16, 16, 8, 4, 4};
  const int appliedBefore[] = {0, 1, 1, 1, 2};
  const std::vector<nlohmann::json> lines = metrics();
  ASSERT_EQ(lines.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    const nlohmann::json &line = lines[i];
    EXPECT_FLOAT_EQ(scalars[i].lossScale, static_cast<float>(scales[i] / counted));
    EXPECT_FLOAT_EQ(scalars[i].learningRate, static_cast<float>(0.1 * (5 - appliedBefore[i]) / 5)) << "the schedule waits";
    EXPECT_FLOAT_EQ(scalars[i].biasCorrection1, static_cast<float>(1 - std::pow(0.9, appliedBefore[i] + 1)));
    EXPECT_EQ(scalars[i].optimizerStep, i + 1) << "what dropout is keyed by";
    EXPECT_DOUBLE_EQ(line["learning_rate"], 0.1 * (5 - appliedBefore[i]) / 5);
    EXPECT_EQ(line["loss_scale"], scales[i]);
    EXPECT_EQ(line["skipped_steps"], i < 1 ? 0 : i < 2 ? 1 : 2);
    EXPECT_EQ(line["grad_norm"].is_null(), overflows.count(static_cast<int>(i)) == 1);
  }
}

TEST_F(LoopTest, EndsWhereTheLeastScaleOverflows) {
  writeData({8, 8, 8, 8});
  settings.fp16 = true;
  settings.initial_scale_power = 1;
  settings.hysteresis = 1;
  settings.max_steps = 5;
  overflows = {0, 1, 2};
  auto report = train(0, 1);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.status().code(), ErrorCode::NonFinite);
  EXPECT_EQ(report.status().message().find("step 2: gradients overflow at the loss scale 1"), 0u) << report.status().message();
  settings.fp16 = false;
  EXPECT_EQ(train(0, 1).status().message().find("step 1: loss is"), 0u) << "without fp16 the first overflow ends the run";
}

TEST_F(LoopTest, PassesErrorsOfTheExecutorOn) {
  writeData({8, 8, 8, 8});
  runStatus = Status(ErrorCode::PeerLost, "rank 1 is gone");
  EXPECT_EQ(train(0, 1).status().code(), ErrorCode::PeerLost);
}

TEST_F(LoopTest, RefusesDataThatFillNothing) {
  writeData({8});
  settings.dataloader_drop_last = true;
  EXPECT_EQ(train(0, 2).status().code(), ErrorCode::Dataset);
}

TEST_F(LoopTest, StopsBetweenUpdatesOnASignal) {
  writeData({8, 8, 8, 8});
  settings.max_steps = 5;
  watchStopSignals();
  std::raise(SIGTERM);
  auto report = train(0, 1);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->updates, 0u);
  EXPECT_EQ(report->stoppedBy, SIGTERM);
}

} // namespace
} // namespace zp::rt
