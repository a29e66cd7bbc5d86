#include "runtime/plan/pooled_shards.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

using namespace test;

ShardPool poolOf(const PlanSpec &spec, uint32_t rank = 0) {
  auto plan = spec.load();
  EXPECT_TRUE(plan.ok()) << plan.status().toString();
  return plan.ok() ? shardPoolOf(plan->plan(), rank) : ShardPool{};
}

TEST(PooledShards, AShardAndWhatIsGatheredOfItLieInOnePlace) {
  const SamplePlan spec(2); // 256 bytes a rank
  for (uint32_t rank : {0u, 1u}) {
    const ShardPool pool = poolOf(spec, rank);
    EXPECT_EQ(pool.bytes, 512u);
    EXPECT_EQ(pool.places[spec.tensors[spec.shard].buffer], 256u * rank);
    EXPECT_EQ(pool.places[spec.tensors[spec.gathered].buffer], 0u);
    for (uint32_t tensor : {spec.ids, spec.embedded, spec.sum, spec.late}) // late lies where the whole would, and stays there
      EXPECT_EQ(pool.places[spec.tensors[tensor].buffer], std::nullopt) << tensor;
    EXPECT_EQ(pool.usedBy, (std::vector<bool>{true, true, false}));
  }
}

TEST(PooledShards, ASecondShardLiesBehindTheFirst) {
  SamplePlan spec(2);
  const uint32_t shard = spec.addBuffered("more", DType::F32, {32}, true), whole = spec.addBuffered("all", DType::F32, {64});
  SectionSpec section = spec.sections[0];
  section.name = "unit1.frozen";
  section.elements = 64;
  section.values = shard;
  section.parameters = {{"more.weight", "more.weight", "", {64}, 0, fbs::Initial::Checkpoint}};
  spec.sections.push_back(section);
  spec.init().instructions.push_back(makeLoadSection({shard}, 0, 1));
  spec.step().instructions.insert(spec.step().instructions.begin(), makeAllGather({shard, whole}, 1));
  const ShardPool pool = poolOf(spec, 1);
  EXPECT_EQ(pool.bytes, 768u);
  EXPECT_EQ(pool.places[spec.tensors[shard].buffer], 512u + 128u);
  EXPECT_EQ(pool.places[spec.tensors[whole].buffer], 512u);
}

TEST(PooledShards, AnotherEntryMayWriteTheShard) {
  SamplePlan spec(2);
  spec.apply().instructions.push_back(makeFill({spec.shard}, 0, 0.0));
  const ShardPool pool = poolOf(spec);
  EXPECT_EQ(pool.bytes, 512u);
  EXPECT_EQ(pool.usedBy, (std::vector<bool>{true, true, true}));
}

/// What keeps a shard where it is.
void expectNoPool(const PlanSpec &spec) {
  const ShardPool pool = poolOf(spec);
  EXPECT_EQ(pool.bytes, 0u);
  EXPECT_EQ(pool.places, std::vector<std::optional<uint64_t>>(spec.buffers.size()));
  EXPECT_EQ(pool.usedBy, std::vector<bool>(spec.entries.size()));
}

TEST(PooledShards, AnEntryThatGathersItMustNotWriteIt) {
  SamplePlan spec(2);
  spec.step().instructions.push_back(makeWaitEvent({}, 0, 1));
  spec.step().instructions.insert(spec.step().instructions.begin() + SamplePlan::kWait, makeRecordEvent({}, 1, 1));
  spec.events = 2;
  spec.step().instructions.push_back(makeFill({spec.shard}, 0, 0.0));
  expectNoPool(spec);
}

TEST(PooledShards, NothingElseMayWriteTheWhole) {
  SamplePlan spec(2);
  spec.step().instructions.insert(spec.step().instructions.begin() + SamplePlan::kEmbed + 1, makeScale({spec.gathered, spec.gathered}, 0, 2.0));
  expectNoPool(spec);
}

TEST(PooledShards, AWholeOfTwoShardsIsNotPooled) {
  SamplePlan spec(2);
  const uint32_t other = spec.addBuffered("other", DType::F32, {64}, true);
  spec.init().instructions.push_back(makeFill({other}, 0, 0.0));
  EntrySpec evaluate = spec.step();
  evaluate.kind = fbs::EntryKind::Evaluate;
  evaluate.instructions = {makeAllGather({other, spec.gathered}, 1)};
  evaluate.outputs.clear();
  spec.entries.push_back(evaluate);
  expectNoPool(spec);
}

TEST(PooledShards, AWindowOfAShardIsNotPooled) {
  SamplePlan spec(2);
  spec.buffers[spec.tensors[spec.shard].buffer].bytes += 64; // and what lies behind it moves on
  for (size_t i = spec.tensors[spec.shard].buffer + 1; i < spec.buffers.size(); ++i)
    spec.buffers[i].offset += 64;
  spec.spaces[0].bytes += 64;
  expectNoPool(spec);
}

TEST(PooledShards, AShardOnDiskIsNotPooled) { // what is gathered has been fetched, for this entry alone
  SamplePlan spec(2);
  const uint32_t fetched = spec.addBuffered("fetched", DType::F32, {64});
  BufferSpec &home = spec.buffers[spec.tensors[spec.shard].buffer];
  home.tier = fbs::Tier::Disk;
  home.offset = 0;
  spec.spaces.push_back({fbs::Tier::Disk, home.bytes});
  spec.init().instructions[0] = makeLoadSection({fetched}, 0, 0);
  spec.init().instructions.push_back(makeCopy({fetched, spec.shard}, 0));
  auto &step = spec.step().instructions;
  step[SamplePlan::kGather] = makeAllGather({fetched, spec.gathered}, 1);
  step.insert(step.begin(), makeCopy({spec.shard, fetched}, 1));
  expectNoPool(spec);
}

} // namespace
} // namespace zp::rt
