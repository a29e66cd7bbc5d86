#include "runtime/plan/report/plan_index.h"

#include "tests/unit/runtime/plan/codes_plan.h"
#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

TEST(PlanIndex, EntryNamesAreAsShortAsKeepsThemApart) {
  SamplePlan spec;
  EXPECT_EQ(BuiltPlan(spec).index().entryNames, (std::vector<std::string>{"init", "train_step", "apply_gradients"}));
  EntrySpec shorter = spec.step();
  shorter.rows = 4;
  shorter.length = 1;
  EntrySpec first = spec.step();
  first.position = fbs::Position::First;
  spec.entries.insert(spec.entries.end(), {shorter, first});
  EXPECT_EQ(BuiltPlan(spec).index().entryNames,
            (std::vector<std::string>{"init", "train_step.2", "apply_gradients", "train_step.1", "train_step.first"}));
}

TEST(PlanIndex, FindsTheSectionThatAShardBelongsTo) {
  SamplePlan spec(2);
  BuiltPlan built{spec};
  PlanIndex index = built.index();
  std::vector<SectionPart> parts = index.partsOf(spec.shard);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].section, 0u);
  EXPECT_EQ(parts[0].bytes, 256u);
  EXPECT_FALSE(parts[0].whole);
  EXPECT_TRUE(index.partsOf(spec.embedded).empty());
  ASSERT_TRUE(index.wholeIn(spec.tensors[spec.gathered].buffer).has_value());
  EXPECT_FALSE(index.wholeIn(spec.tensors[spec.sum].buffer).has_value());
}

TEST(PlanIndex, AFetchedShardIsStillItsSections) {
  // The shard is copied before it is gathered, as from another space; through two buffers, as from a disk.
  SamplePlan spec(2);
  uint32_t pinned = spec.addBuffered("pinned", DType::F32, {64}), fetched = spec.addBuffered("fetched", DType::F32, {64});
  auto &list = spec.step().instructions;
  list[SamplePlan::kGather] = makeAllGather({fetched, spec.gathered}, 1);
  list.insert(list.begin(), {makeCopy({spec.shard, pinned}, 1), makeCopy({pinned, fetched}, 1)});
  BuiltPlan built{spec};
  PlanIndex index = built.index();
  std::vector<SectionPart> parts = index.partsOf(fetched);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].section, 0u);
  EXPECT_TRUE(index.wholeIn(spec.tensors[spec.gathered].buffer).has_value());
  EXPECT_FALSE(index.wholeIn(spec.tensors[fetched].buffer).has_value());
  EXPECT_EQ(index.roleOf(0, 0), ParameterRole::Embedding);
}

TEST(PlanIndex, AParametersUseIsItsRole) {
  SamplePlan spec(2);
  BuiltPlan built{spec};
  EXPECT_EQ(built.index().roleOf(0, 0), ParameterRole::Embedding); // embedding reads the table
  EXPECT_EQ(built.index().roleOf(0, 1), ParameterRole::Other);     // nobody reads the norm
}

TEST(PlanIndex, SettingsHaveTheirDefaults) {
  SamplePlan spec;
  BuiltPlan plain{spec};
  EXPECT_EQ(plain.index().setting("lora_r"), "8");
  EXPECT_EQ(plain.index().setting("bnb_4bit_quant_storage_dtype"), "uint8");
  EXPECT_EQ(plain.index().accumulation(), 1u);
  spec.settings.push_back({"gradient_accumulation_steps", "3"});
  EXPECT_EQ(BuiltPlan(spec).index().accumulation(), 3u);
}

TEST(PlanIndex, AnUpdateIsItsMicroBatchesAndTheOptimizer) {
  using Update = std::vector<std::pair<uint32_t, uint64_t>>;
  SamplePlan spec;
  spec.settings.push_back({"gradient_accumulation_steps", "4"});
  EXPECT_EQ(BuiltPlan(spec).index().update(), (Update{{1, 4}, {2, 1}}));
  // With an entry for the first micro-batch: the others are the ones for any.
  EntrySpec first = spec.step();
  first.position = fbs::Position::First;
  EntrySpec shorter = spec.step();
  shorter.length = 1;
  shorter.rows = 4;
  spec.entries.insert(spec.entries.end(), {first, shorter});
  EXPECT_EQ(BuiltPlan(spec).index().update(), (Update{{1, 3}, {2, 1}, {3, 1}}));
}

TEST(PlanIndex, CodesCountBytesOfRecords) {
  CodesPlan spec = smallCodesPlan(2);
  BuiltPlan built{spec};
  const fbs::Section &section = *built.plan().sections()->Get(0);
  // q is 96·128 = 12288 elements, one and a half records of 256·32: two. A record: 128·32 codes, 256 + 8, up to 16.
  EXPECT_EQ(elementsOf(*section.parameters()->Get(0)), 12288u);
  EXPECT_EQ(extentOf(section, *section.parameters()->Get(0)), 2u * (4096 + 272));
}

} // namespace
} // namespace zp::rt
