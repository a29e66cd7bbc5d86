#include "runtime/executor/executor.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <thread>

#include "runtime/collective/single/single_communicator.h"
#include "runtime/executor/resolve.h"
#include "tests/unit/runtime/collective/forked_ranks.h"
#include "tests/unit/runtime/plan/codes_plan.h"
#include "tests/unit/runtime/plan/plan_spec.h"

// Counts what the process takes from the heap: `run` must take nothing. (Inlined, gcc takes malloc and free for a mismatched pair.)
static size_t allocations = 0;
[[gnu::noinline]] void *operator new(size_t bytes) {
  ++allocations;
  if (void *memory = std::malloc(bytes ? bytes : 1))
    return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void *memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void *memory, size_t) noexcept { std::free(memory); }

namespace zp::rt {
namespace {

using namespace test;

struct Options {
  bool shadow, reference;
  int threads;
};

class ExecutorModes : public testing::TestWithParam<Options> {};

/// The section's element i is i.
Status countUp(uint32_t, const TensorPart &target, ParallelFor &) {
  for (int64_t i = 0; i < target.view.elements(); ++i)
    target.view.as<float>()[i] = static_cast<float>(i);
  return {};
}

ExecutorOptions optionsOf(const Options &mode) {
  ExecutorOptions options;
  options.threads = mode.threads;
  options.shadow = mode.shadow;
  options.reference = mode.reference;
  options.loadSection = countUp;
  return options;
}

TEST_P(ExecutorModes, RunsTheSamplePlan) {
  SamplePlan spec;
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok()) << plan.status().toString();
  auto communicator = createSingleCommunicator();
  auto executor = Executor::create(*plan, *communicator, optionsOf(GetParam()));
  ASSERT_TRUE(executor.ok()) << executor.status().toString();
  ASSERT_TRUE((*executor)->run(0).ok());
  const int32_t ids[4] = {7, 0, 3, 3};
  for (int step = 1; step <= 3; ++step) {
    std::memcpy((*executor)->view(spec.ids).data, ids, sizeof(ids));
    ASSERT_TRUE((*executor)->run(1).ok());
    // Row `id` of the table is 4·id, 4·id+1, …; doubled, and added once a step.
    for (int row = 0; row < 4; ++row)
      for (int d = 0; d < 4; ++d) {
        EXPECT_EQ((*executor)->view(spec.late).as<float>()[row * 4 + d], 2.0f * static_cast<float>(4 * ids[row] + d));
        EXPECT_EQ((*executor)->view(spec.sum).as<float>()[row * 4 + d], static_cast<float>(step) * 2.0f * static_cast<float>(4 * ids[row] + d));
      }
  }
  ASSERT_TRUE((*executor)->run(2).ok());
  EXPECT_EQ((*executor)->gatheredBytes(), 0u); // there is nobody else
  EXPECT_EQ((*executor)->reducedBytes(), 0u);
  EXPECT_GT((*executor)->secondsByOpcode()[static_cast<size_t>(fbs::OpAttrs::Embedding)], 0);
  EXPECT_EQ((*executor)->secondsByOpcode()[static_cast<size_t>(fbs::OpAttrs::Matmul)], 0);
}

/// Two ranks whose table another entry doubles between steps: each must see what the other has written, and only then.
std::string runOnTwoRanks(Communicator &c, bool pooled) {
  SamplePlan spec(2);
  constexpr int kShard = 64, kFirst = 48; // elements; the table begins with the last of rank 0's
  spec.tensors[spec.table].offset = kFirst * sizeof(float);
  spec.apply().instructions.insert(spec.apply().instructions.begin(), makeScale({spec.shard, spec.shard}, 0, 2.0));
  auto plan = spec.load();
  ExecutorOptions options = optionsOf({false, false, 1});
  options.readInPlace = pooled;
  const int own = c.rank() * kShard;
  auto late = [&c](int turn) { // a rank, not always the same, comes when the other is long done
    if (c.rank() == turn % 2)
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
  };
  options.loadSection = [own, late](uint32_t, const TensorPart &target, ParallelFor &) {
    late(1);
    for (int64_t i = 0; i < target.view.elements(); ++i)
      target.view.as<float>()[i] = static_cast<float>(own + static_cast<int64_t>(target.first) + i);
    return Status();
  };
  auto executor = Executor::create(*plan, c, options);
  if (!executor.ok() || !(*executor)->run(0).ok())
    return "cannot be started";
  // A gather in place leaves the shard where its whole is.
  const auto *shard = (*executor)->view(spec.shard).as<std::byte>(), *whole = (*executor)->view(spec.gathered).as<std::byte>();
  if ((shard == whole + 256 * c.rank()) != pooled)
    return "has its shard elsewhere";
  for (int step = 0; step < 50; ++step) {
    const int32_t ids[4] = {7, 0, 3, (step + c.rank()) % 8};
    late(step / 2);
    std::memcpy((*executor)->view(spec.ids).data, ids, sizeof ids);
    if (!(*executor)->run(1).ok())
      return "a step fails";
    for (int row = 0; row < 4; ++row)
      for (int d = 0; d < 4; ++d) {
        const float expected = std::ldexp(2.0f * static_cast<float>(kFirst + 4 * ids[row] + d), step);
        if (const float found = (*executor)->view(spec.late).as<float>()[row * 4 + d]; found != expected)
          return "step " + std::to_string(step) + " row " + std::to_string(row) + ": " + std::to_string(found) + ", expected " +
                 std::to_string(expected);
      }
    late(step);
    if (!(*executor)->run(2).ok())
      return "an update fails";
  }
  return (*executor)->gatheredBytes() == 50u * 256u ? "" : "counts " + std::to_string((*executor)->gatheredBytes()) + " bytes";
}

TEST(Executor, WhatARankHasInMemoryIsReadWhereItLies) {
  EXPECT_TRUE(holdsOnRanks(2, [](Communicator &c) { return runOnTwoRanks(c, true); }));
}
TEST(Executor, ShardsThatAreNotReadInPlaceAreCopied) {
  EXPECT_TRUE(holdsOnRanks(2, [](Communicator &c) { return runOnTwoRanks(c, false); }));
}

INSTANTIATE_TEST_SUITE_P(Executor, ExecutorModes,
                         testing::Values(Options{false, false, 1}, Options{false, false, 3}, Options{false, true, 1}, Options{true, false, 2},
                                         Options{true, true, 1}),
                         [](const auto &info) {
                           return std::string(info.param.shadow ? "shadow" : "planned") + (info.param.reference ? "_reference_" : "_cpu_") +
                                  std::to_string(info.param.threads);
                         });

TEST(Executor, TimesOfTheLastInstructionsAreKeptByStream) {
  auto plan = SamplePlan().load();
  auto communicator = createSingleCommunicator();
  ExecutorOptions options = optionsOf({false, false, 1});
  options.timedSteps = 6;
  auto executor = Executor::create(*plan, *communicator, options);
  ASSERT_TRUE(executor.ok());
  ASSERT_TRUE((*executor)->run(0).ok());
  (*executor)->times().clear();
  for (int step = 0; step < 3; ++step)
    ASSERT_TRUE((*executor)->run(1).ok());
  ASSERT_EQ((*executor)->times().streams(), 2u);
  std::vector<StepTime> compute = (*executor)->times().of(0), transfers = (*executor)->times().of(1);
  ASSERT_EQ(compute.size(), 6u); // of 3 · 4: the last
  ASSERT_EQ(transfers.size(), 3u);
  EXPECT_EQ(compute.back().instruction, SamplePlan::kLate);
  for (size_t i = 1; i < compute.size(); ++i)
    EXPECT_LE(compute[i - 1].end, compute[i].begin);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(transfers[i].instruction, SamplePlan::kGather);
    EXPECT_EQ(transfers[i].entry, 1u);
    EXPECT_LE(transfers[i].begin, transfers[i].end);
  }
  // The gather of the last step is over before the first instruction that reads it begins.
  EXPECT_LE(transfers[2].end, compute[2].begin);
}

TEST(Executor, ARunTakesNothingFromTheHeap) {
  // Copies, events, an in-place sum and fills: the executor's own part. Kernels answer for theirs.
  SamplePlan spec;
  spec.step().instructions = {spec.step().instructions[SamplePlan::kGather], spec.step().instructions[SamplePlan::kRecord],
                              spec.step().instructions[SamplePlan::kWait], makeCopy({spec.sum, spec.late}, 0)};
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok()) << plan.status().toString();
  auto communicator = createSingleCommunicator();
  auto executor = Executor::create(*plan, *communicator, optionsOf({false, false, 2}));
  ASSERT_TRUE(executor.ok());
  ASSERT_TRUE((*executor)->run(0).ok());
  ASSERT_TRUE((*executor)->run(1).ok());
  size_t before = allocations;
  for (int i = 0; i < 50; ++i)
    if (!(*executor)->run(1).ok())
      FAIL();
  EXPECT_EQ(allocations, before);
}

TEST(Executor, AnotherWorldIsRefusedWithBothNumbers) {
  SamplePlan spec(2);
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok());
  auto communicator = createSingleCommunicator();
  Status status = Executor::create(*plan, *communicator, {}).status();
  EXPECT_EQ(status.code(), ErrorCode::WorldSize);
  EXPECT_EQ(exitCodeOf(status.code()), 2);
  EXPECT_NE(status.message().find("compiled for 2 ranks, this job has 1"), std::string::npos);
}

TEST(Executor, AKernelsRefusalNamesTheInstruction) {
  SamplePlan spec;
  spec.tensors[spec.table].dims = {16, 2}; // rows of two do not fit a target of four
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok()) << plan.status().toString();
  auto communicator = createSingleCommunicator();
  for (Status status : {Executor::create(*plan, *communicator, {}).status(), checkInstructions(*plan)}) {
    EXPECT_EQ(status.code(), ErrorCode::PlanInvalid);
    EXPECT_EQ(status.message().rfind("plan.fb: entries[1].instructions[3]: embedding", 0), 0u) << status.message();
  }
}

TEST(Executor, ALoadersErrorEndsTheRun) {
  auto plan = SamplePlan().load();
  auto communicator = createSingleCommunicator();
  ExecutorOptions options;
  options.loadSection = [](uint32_t, const TensorPart &, ParallelFor &) { return Status(ErrorCode::TensorMissing, "no such tensor"); };
  auto executor = Executor::create(*plan, *communicator, options);
  ASSERT_TRUE(executor.ok());
  EXPECT_EQ((*executor)->run(0).code(), ErrorCode::TensorMissing);
}

TEST(Executor, LoadersOfCodesGetTheirOperandsInOrder) {
  CodesPlan spec = smallCodesPlan(1);
  // The exchange of a sharded section, as it would be on more ranks.
  spec.scales = spec.addBuffered("scales", DType::F32, {1024});
  spec.init().instructions = {makeLoadQuantized({spec.codes, spec.scales}, 0, 0), makeNestScales({spec.scales, spec.codes}, 0, 0)};
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok()) << plan.status().toString();
  auto communicator = createSingleCommunicator();
  ExecutorOptions options;
  std::vector<std::string> calls;
  options.loadQuantized = [&](uint32_t section, const TensorPart &records, const TensorPart &scales, ParallelFor &) {
    calls.push_back("load " + std::to_string(section) + " " + std::to_string(records.view.bytes()) + " " +
                    std::to_string(scales ? scales.view.elements() : 0));
    records.view.as<uint8_t>()[5] = 1;
    if (scales)
      scales.view.as<float>()[7] = 3;
    return Status();
  };
  options.nestScales = [&](uint32_t section, const TensorView &scales, const TensorPart &records, ParallelFor &) {
    calls.push_back("nest " + std::to_string(section) + " " + std::to_string(scales.as<float>()[7]));
    records.view.as<uint8_t>()[5] += 1;
    return Status();
  };
  auto executor = Executor::create(*plan, *communicator, options);
  ASSERT_TRUE(executor.ok()) << executor.status().toString();
  ASSERT_TRUE((*executor)->run(0).ok());
  EXPECT_EQ(calls, (std::vector<std::string>{"load 0 17472 1024", "nest 0 3.000000"}));
  EXPECT_EQ((*executor)->view(spec.codes).as<uint8_t>()[5], 2);

  spec.init().instructions = {makeLoadQuantized({spec.codes, kNone}, 0, 0)};
  auto complete = spec.load();
  ASSERT_TRUE(complete.ok());
  calls.clear();
  auto another = Executor::create(*complete, *communicator, options);
  ASSERT_TRUE((*another)->run(0).ok());
  EXPECT_EQ(calls, std::vector<std::string>{"load 0 17472 0"});
}

TEST(Executor, AMissingLoaderIsNamed) {
  auto plan = smallCodesPlan().load();
  auto communicator = createSingleCommunicator();
  auto executor = Executor::create(*plan, *communicator, {});
  ASSERT_TRUE(executor.ok()) << executor.status().toString();
  Status status = (*executor)->run(0);
  EXPECT_EQ(status.code(), ErrorCode::Internal);
  EXPECT_NE(status.message().find("load_quantized: has no loader"), std::string::npos) << status.message();
}

TEST(Executor, ShadowModeGivesWorthlessBytesOutsideALife) {
  SamplePlan spec;
  auto plan = spec.load();
  auto communicator = createSingleCommunicator();
  auto executor = Executor::create(*plan, *communicator, optionsOf({true, false, 1}));
  ASSERT_TRUE(executor.ok());
  ASSERT_TRUE((*executor)->run(0).ok());
  std::memset((*executor)->view(spec.ids).data, 0, 16);
  ASSERT_TRUE((*executor)->run(1).ok());
  EXPECT_TRUE(std::isnan((*executor)->view(spec.embedded).as<float>()[0])); // over
  EXPECT_FALSE(std::isnan((*executor)->view(spec.late).as<float>()[0]));    // an output
  EXPECT_FALSE(std::isnan((*executor)->view(spec.sum).as<float>()[0]));     // persistent
}

TEST(ExecutorDeathTest, ShadowModeNamesWhoLeavesItsBuffer) {
  SamplePlan spec;
  auto plan = spec.load();
  auto communicator = createSingleCommunicator();
  ExecutorOptions options = optionsOf({true, false, 1});
  options.loadSection = [](uint32_t, const TensorPart &target, ParallelFor &) {
    static_cast<volatile float *>(target.view.data)[target.view.elements() + 8] = 1;
    return Status();
  };
  EXPECT_DEATH(
      {
        auto executor = Executor::create(*plan, *communicator, options);
        (void)(*executor)->run(0);
      },
      "plan.fb: entries\\[0\\].instructions\\[0\\] \\(load_section\\): touches 32 bytes past the end of buffer weights");
}

} // namespace
} // namespace zp::rt
