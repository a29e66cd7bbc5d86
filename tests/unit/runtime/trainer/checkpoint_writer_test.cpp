// Checkpoints as the loop makes them: what is in them, when they appear, and what is left when one
// cannot be made.
#include "runtime/trainer/checkpoint_writer.h"

#include <csignal>
#include <sys/resource.h>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/io/checkpoint_directory.h"
#include "runtime/io/checkpoint_manifest.h"
#include "runtime/trainer/resume.h"
#include "tests/unit/runtime/io/state_plan.h"
#include "tests/unit/runtime/io/temporary_directory.h"
#include "tests/unit/runtime/lone_rank.h"

namespace zp::rt {
namespace {

using test::StatePlan;

/// An executor over a StatePlan's memory.
class StateExecutor final : public Executor {
public:
  explicit StateExecutor(StatePlan &state) : state(state) {}
  Status run(uint32_t) override { return {}; }
  TensorView view(uint32_t tensor) override { return state.view(tensor); }
  uint64_t gatheredBytes() const override { return 0; }
  uint64_t reducedBytes() const override { return 0; }
  std::array<double, 256> secondsByOpcode() const override { return {}; }
  StepTimes &times() override { return stepTimes; }

private:
  StatePlan &state;
  StepTimes stepTimes;
};

/// Rank `rank` of a job whose other ranks the test plays, one after the other.
struct Rank {
  Rank(int rank, uint32_t ranks, const std::string &output, JobSettings &settings)
      : state(ranks, true), executor(state), communicator(rank, static_cast<int>(ranks)) {
    state.fill(rank);
    CheckpointOptions options;
    options.model.directory = output;
    options.model.baseName = "some/base";
    options.settings = &settings;
    options.identity = [] { return CheckpointIdentity{{"seed", "9"}}; };
    writer = std::make_unique<CheckpointWriter>(state.plan(), executor, communicator, std::move(options));
  }
  /// Until this rank's shard is there.
  void wait() {
    while (writer->ready() == 0)
      std::this_thread::yield();
  }
  StatePlan state;
  StateExecutor executor;
  test::LoneRank communicator;
  std::unique_ptr<CheckpointWriter> writer;
};

class Writer : public testing::Test {
protected:
  StatusOr<ResumePoint> open(const std::string &asked, const StatePlan &plan, const CheckpointIdentity &run = {{"seed", "9"}}) {
    return openResumePoint(asked, directory.path, plan.plan(), &run, true);
  }
  RunPosition at(uint64_t step) const { return {step, 10 * step, 0.5, 0.25, 100, 20}; }
  /// A whole checkpoint of one rank.
  void saveOne(uint64_t step) {
    Rank rank(0, 1, directory.path, settings);
    ASSERT_TRUE(rank.writer->save(at(step), false).ok());
    Status status = rank.writer->finish();
    ASSERT_TRUE(status.ok()) << status.toString();
  }
  test::TemporaryDirectory directory;
  JobSettings settings;
};

TEST_F(Writer, HoldsTheStateOfItsStepAndNotALaterOne) {
  Rank rank(0, 1, directory.path, settings);
  ASSERT_TRUE(rank.writer->prepare().ok());
  ASSERT_TRUE(rank.writer->save(at(5), true).ok());
  rank.state.clear(); // the next update
  const std::string shard = "optimizer-00001-of-00001.safetensors";
  ASSERT_TRUE(rank.writer->finish().ok());
  EXPECT_EQ(rank.writer->report().snapshotBytes, directory.read("checkpoint-5/" + shard).size());
  StatePlan reader(1, false);
  StateExecutor executor(reader);
  auto point = open("latest", reader);
  ASSERT_TRUE(point.ok()) << point.status().toString();
  auto shards = point->shards();
  ASSERT_TRUE(shards.ok()) << shards.status().toString();
  EXPECT_EQ(point->manifest.step, 5u);
  EXPECT_EQ(point->manifest.tokens, 50u);
  EXPECT_EQ(point->manifest.progress.at("loss"), 0.5);
  for (uint32_t section : {0u, 2u}) {
    uint32_t values = stateTensor(*reader.plan().sections()->Get(section), StateKind::Master);
    ASSERT_TRUE(restoreMasters(*shards, reader.plan(), section, 0, reader.view(values)).ok());
    EXPECT_EQ(reader.memory[values][6], section == 0 ? 0.0f : StatePlan::valueOf("e", StateKind::Master, 6)) << "a gap is zero";
  }
  ASSERT_TRUE(restoreMoments(*shards, reader.plan(), 0, executor).ok());
  reader.forEach(0, [&](const std::string &name, StateKind kind, uint64_t i, float place) { ASSERT_EQ(place, StatePlan::valueOf(name, kind, i)); });
}

TEST_F(Writer, IsMadeOfAllRanksShards) {
  Rank zero(0, 2, directory.path, settings), one(1, 2, directory.path, settings);
  for (Rank *rank : {&zero, &one})
    ASSERT_TRUE(rank->writer->save(at(5), true).ok());
  zero.wait();
  ASSERT_TRUE(zero.writer->advance(1).ok()); // of itself alone
  EXPECT_EQ(zero.writer->ready(), 1.0) << "still to be told";
  EXPECT_TRUE(checkpointsIn(directory.path).empty());
  one.wait();
  for (Rank *rank : {&zero, &one})
    ASSERT_TRUE(rank->writer->advance(2).ok());
  EXPECT_EQ(one.writer->ready(), 0.0);
  ASSERT_TRUE(zero.writer->finish().ok());
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{5}));
  auto point = open(directory.file("checkpoint-5/"), StatePlan(4, true));
  ASSERT_TRUE(point.ok()) << point.status().toString();
  auto adapter = SafetensorsFile::open(directory.file("checkpoint-5/adapter_model.safetensors"));
  ASSERT_TRUE(adapter.ok());
  float last;
  std::memcpy(&last, (*adapter)->data(*(*adapter)->find("saved.c")) + 99 * 4, 4);
  EXPECT_EQ(last, StatePlan::valueOf("c", StateKind::Master, 99));
  EXPECT_NE(directory.read("checkpoint-5/adapter_config.json").find("\"some/base\""), std::string::npos);
}

TEST_F(Writer, SavesAStepOnceAndWaitsForTheOneBefore) {
  Rank rank(0, 1, directory.path, settings);
  settings.save_total_limit = 2;
  for (uint64_t step : {5, 5, 6, 7, 7})
    ASSERT_TRUE(rank.writer->save(at(step), true).ok());
  ASSERT_TRUE(rank.writer->finish().ok());
  ASSERT_TRUE(rank.writer->finish().ok()) << "nothing is in the making";
  EXPECT_EQ(rank.writer->report().saved, 3u);
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{6, 7}));
}

TEST_F(Writer, LeavesNothingWhenItIsGivenUp) {
  saveOne(5);
  {
    Rank zero(0, 2, directory.path, settings), one(1, 2, directory.path, settings);
    for (Rank *rank : {&one, &zero})
      ASSERT_TRUE(rank->writer->save(at(6), true).ok());
    one.wait();
    zero.wait();
  }
  EXPECT_EQ(directory.files(), 1u);
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{5}));
}

TEST_F(Writer, LeavesNothingWhoeverComesLast) {
  auto one = std::make_unique<Rank>(1, 2, directory.path, settings);
  {
    Rank zero(0, 2, directory.path, settings);
    ASSERT_TRUE(zero.writer->save(at(6), true).ok());
  }
  ASSERT_TRUE(one->writer->save(at(6), true).ok()); // rank 0 has failed, which this one hasn't heard
  one.reset();
  EXPECT_EQ(directory.files(), 0u);
}

TEST_F(Writer, TellsWhenAnotherRanksShardIsNotSeen) {
  Rank rank(0, 2, directory.path, settings);
  ASSERT_TRUE(rank.writer->save(at(5), false).ok());
  Status status = rank.writer->finish(); // the test's barrier says that all have written
  EXPECT_EQ(status.code(), ErrorCode::DiskWrite);
  EXPECT_NE(status.message().find("optimizer-00002-of-00002.safetensors: rank 1 wrote it"), std::string::npos) << status.message();
}

/// Files end at `bytes` while it lives, as on a full disk.
struct FileLimit {
  explicit FileLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit now{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileLimit() { setrlimit(RLIMIT_FSIZE, &before); }
  rlimit before{};
};

TEST_F(Writer, AFullDiskLeavesTheOneBefore) {
  saveOne(5);
  size_t failed = 0;
  // Every place where a file of the checkpoint can meet its end, until there is room for all.
  for (rlim_t room = 0;; room += 100) {
    Status status;
    {
      FileLimit limit(room);
      Rank rank(0, 1, directory.path, settings);
      status = rank.writer->save(at(6), true);
      status = status.ok() ? rank.writer->finish() : status;
    }
    if (status.ok())
      break;
    ++failed;
    ASSERT_EQ(status.code(), ErrorCode::DiskFull) << status.toString();
    ASSERT_EQ(directory.files(), 1u) << "with " << room;
    ASSERT_EQ(latestWhole(directory.path), directory.file("checkpoint-5"));
  }
  EXPECT_GT(failed, 10u);
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{5, 6}));
  EXPECT_TRUE(open("latest", StatePlan(1, false)).ok());
}

TEST_F(Writer, RefusalsNameTheFileAndTheLatestGoodCheckpoint) {
  for (uint64_t step : {5, 6, 7})
    saveOne(step);
  StatePlan plan(1, false);
  auto refused = [&](const std::string &asked, ErrorCode code, const std::string &file, const std::string &good,
                     const CheckpointIdentity &run = {{"seed", "9"}}) {
    Status status = open(asked, plan, run).status();
    EXPECT_EQ(status.code(), code) << status.toString();
    EXPECT_NE(status.message().find(file), std::string::npos) << status.message();
    EXPECT_TRUE(status.message().ends_with(good)) << status.message();
  };
  std::string shard = "checkpoint-7/optimizer-00001-of-00001.safetensors", bytes = directory.read(shard);
  bytes[bytes.size() - 3] ^= 4;
  directory.write(shard, bytes);
  refused("latest", ErrorCode::Checkpoint, shard + ": its checksum", "latest good checkpoint beside it is " + directory.file("checkpoint-6"));
  directory.write("checkpoint-6/trainer_state.json", "{");
  refused("latest", ErrorCode::Checkpoint, shard, directory.file("checkpoint-5"));
  refused(directory.file("checkpoint-6"), ErrorCode::Checkpoint, "checkpoint-6/trainer_state.json: has 1 bytes", directory.file("checkpoint-5"));
  refused(directory.file("nowhere"), ErrorCode::Checkpoint, "nowhere/checkpoint.json: is missing", directory.file("checkpoint-5"));
  refused(directory.file("checkpoint-5"), ErrorCode::CheckpointMismatch, "checkpoint-5/checkpoint.json: seed: is 9, expected 10",
          "no good checkpoint beside it", {{"seed", "10"}});
  test::TemporaryDirectory empty;
  EXPECT_EQ(openResumePoint("latest", empty.path, plan.plan(), nullptr, true).status().code(), ErrorCode::Checkpoint);
}

} // namespace
} // namespace zp::rt
