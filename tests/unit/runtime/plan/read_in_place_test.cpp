#include "runtime/plan/read_in_place.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

using namespace test;

ReadInPlace poolOf(const PlanSpec &spec, uint32_t rank = 0) {
  auto plan = spec.load();
  EXPECT_TRUE(plan.ok()) << plan.status().toString();
  return plan.ok() ? readInPlaceOf(plan->plan(), rank) : ReadInPlace{};
}

TEST(ReadInPlace, AShardAndWhatIsGatheredOfItLieInOnePlace) {
  const SamplePlan spec(2); // 256 bytes a rank
  for (uint32_t rank : {0u, 1u}) {
    const ReadInPlace pool = poolOf(spec, rank);
    EXPECT_EQ(pool.poolBytes, 512u);
    EXPECT_EQ(pool.places[spec.tensors[spec.shard].buffer], 256u * rank);
    EXPECT_EQ(pool.places[spec.tensors[spec.gathered].buffer], 0u);
    for (uint32_t tensor : {spec.ids, spec.embedded, spec.sum, spec.late}) // late lies where the whole would, and stays there
      EXPECT_EQ(pool.places[spec.tensors[tensor].buffer], std::nullopt) << tensor;
    EXPECT_EQ(pool.usesPool, (std::vector<bool>{true, true, false}));
  }
}

TEST(ReadInPlace, ASecondShardLiesBehindTheFirst) {
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
  const ReadInPlace pool = poolOf(spec, 1);
  EXPECT_EQ(pool.poolBytes, 768u);
  EXPECT_EQ(pool.places[spec.tensors[shard].buffer], 512u + 128u);
  EXPECT_EQ(pool.places[spec.tensors[whole].buffer], 512u);
}

TEST(ReadInPlace, AnotherEntryMayWriteTheShard) {
  SamplePlan spec(2);
  spec.apply().instructions.push_back(makeFill({spec.shard}, 0, 0.0));
  const ReadInPlace pool = poolOf(spec);
  EXPECT_EQ(pool.poolBytes, 512u);
  EXPECT_EQ(pool.usesPool, (std::vector<bool>{true, true, true}));
}

/// What keeps a shard where it is.
void expectNoPool(const PlanSpec &spec) {
  const ReadInPlace pool = poolOf(spec);
  EXPECT_EQ(pool.poolBytes, 0u);
  EXPECT_EQ(pool.places, std::vector<std::optional<uint64_t>>(spec.buffers.size()));
  EXPECT_EQ(pool.usesPool, std::vector<bool>(spec.entries.size()));
}

TEST(ReadInPlace, AnEntryThatGathersItMustNotWriteIt) {
  SamplePlan spec(2);
  spec.step().instructions.push_back(makeWaitEvent({}, 0, 1));
  spec.step().instructions.insert(spec.step().instructions.begin() + SamplePlan::kWait, makeRecordEvent({}, 1, 1));
  spec.events = 2;
  spec.step().instructions.push_back(makeFill({spec.shard}, 0, 0.0));
  expectNoPool(spec);
}

TEST(ReadInPlace, NothingElseMayWriteTheWhole) {
  SamplePlan spec(2);
  spec.step().instructions.insert(spec.step().instructions.begin() + SamplePlan::kEmbed + 1, makeScale({spec.gathered, spec.gathered}, 0, 2.0));
  expectNoPool(spec);
}

TEST(ReadInPlace, AWholeOfTwoShardsIsNotPooled) {
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

TEST(ReadInPlace, AWindowOfAShardIsNotPooled) {
  SamplePlan spec(2);
  spec.buffers[spec.tensors[spec.shard].buffer].bytes += 64; // and what lies behind it moves on
  for (size_t i = spec.tensors[spec.shard].buffer + 1; i < spec.buffers.size(); ++i)
    spec.buffers[i].offset += 64;
  spec.spaces[0].bytes += 64;
  expectNoPool(spec);
}

/// The shard is kept in another tier, and fetched before it is gathered.
struct FetchingPlan : SamplePlan {
  uint32_t fetched;
  explicit FetchingPlan(fbs::Tier tier) : SamplePlan(2), fetched(addBuffered("fetched", DType::F32, {64})) {
    BufferSpec &home = buffers[tensors[shard].buffer];
    home.tier = tier;
    home.offset = 0;
    spaces.push_back({tier, home.bytes});
    step().instructions[kGather] = makeAllGather({fetched, gathered}, 1);
    step().instructions.insert(step().instructions.begin(), makeCopy({shard, fetched}, 1));
  }
  uint32_t homeBuffer() const { return tensors[shard].buffer; }
  uint32_t copyBuffer() const { return tensors[fetched].buffer; }
};

TEST(ReadInPlace, WhatIsFetchedFromTheHostLiesThere) {
  const FetchingPlan spec(fbs::Tier::Host);
  const ReadInPlace found = poolOf(spec, 1);
  for (uint32_t buffer = 0; buffer < spec.buffers.size(); ++buffer)
    EXPECT_EQ(found.homes[buffer], buffer == spec.copyBuffer() ? spec.homeBuffer() : buffer) << spec.buffers[buffer].name;
  EXPECT_EQ(found.poolBytes, 512u); // and is gathered from there
  EXPECT_EQ(found.places[spec.homeBuffer()], 256u);
  EXPECT_EQ(found.places[spec.tensors[spec.gathered].buffer], 0u);
  EXPECT_EQ(found.usesPool, (std::vector<bool>{true, true, false}));
}

TEST(ReadInPlace, AFetchIsMadeWhereItsSourceIsWrittenInTheSameEntry) {
  FetchingPlan spec(fbs::Tier::Host);
  spec.step().instructions.push_back(makeFill({spec.shard}, 1, 0.0));
  expectNoPool(spec);
  EXPECT_EQ(poolOf(spec).homes[spec.copyBuffer()], spec.copyBuffer());
}

TEST(ReadInPlace, AFetchIsMadeWhereItsTargetIsChanged) {
  FetchingPlan spec(fbs::Tier::Host);
  spec.step().instructions.insert(spec.step().instructions.begin() + 1, makeScale({spec.fetched, spec.fetched}, 1, 2.0));
  expectNoPool(spec);
  EXPECT_EQ(poolOf(spec).homes[spec.copyBuffer()], spec.copyBuffer());
}

TEST(ReadInPlace, WhatIsFetchedFromDiskIsMoved) {
  FetchingPlan spec(fbs::Tier::Disk);
  spec.init().instructions[0] = makeLoadSection({spec.fetched}, 0, 0);
  spec.init().instructions.push_back(makeCopy({spec.fetched, spec.shard}, 0));
  expectNoPool(spec);
  EXPECT_EQ(poolOf(spec).homes[spec.copyBuffer()], spec.copyBuffer());
}

TEST(ReadInPlace, ACopyOfWhatLivesForAnEntryIsMade) {
  const SamplePlan spec(2); // `late` is a copy of `embedded`
  EXPECT_EQ(poolOf(spec).homes[spec.tensors[spec.late].buffer], spec.tensors[spec.late].buffer);
}

} // namespace
} // namespace zp::rt
