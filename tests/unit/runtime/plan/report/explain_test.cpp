#include "runtime/plan/report/explain.h"

#include <nlohmann/json.hpp>

#include "runtime/plan/checks/check_instructions.h"
#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

TEST(Explain, OneViewIsItsObjectSeveralAreByName) {
  BuiltPlan built{SamplePlan(2)};
  auto one = nlohmann::json::parse(explainJson(built.plan(), {ExplainView::Memory}));
  EXPECT_TRUE(one.contains("spaces"));
  auto all = nlohmann::json::parse(explainJson(built.plan(), allExplainViews()));
  EXPECT_EQ(all.size(), allExplainViews().size());
  for (ExplainView view : allExplainViews())
    EXPECT_TRUE(all.contains(nameOf(view))) << nameOf(view);
  EXPECT_EQ(all["memory"], one);
}

TEST(Explain, NamesThatAreNoTextDontBreakTheJson) {
  SamplePlan spec(2);
  spec.sections[0].name = "unit\xff";
  BuiltPlan built{spec};
  EXPECT_FALSE(nlohmann::json::parse(explainJson(built.plan(), allExplainViews()), nullptr, false).is_discarded());
  EXPECT_FALSE(explainText(built.plan(), allExplainViews()).empty());
}

/// Reports rely on the proofs alone: whatever passes them can be explained. (Under sanitizers this finds more.)
TEST(Explain, ADamagedPlanThatStillPassesItsProofs) {
  SamplePlan spec(2);
  spec.settings.push_back({"gradient_accumulation_steps", "3"});
  std::vector<uint8_t> payload = spec.payload();
  size_t explained = 0;
  for (uint8_t &byte : payload) {
    const uint8_t before = byte;
    for (uint8_t value : {uint8_t(before ^ 0x01), uint8_t(before ^ 0x80), uint8_t(0xff)}) {
      byte = value;
      StatusOr<PlanFile> plan = PlanFile::fromBytes(sealPlan(payload), "plan.fb");
      if (!plan.ok() || !checkInstructions(*plan).ok())
        continue;
      EXPECT_FALSE(explainText(plan->plan(), allExplainViews()).empty());
      EXPECT_FALSE(nlohmann::json::parse(explainJson(plan->plan(), allExplainViews()), nullptr, false).is_discarded());
      ++explained;
    }
    byte = before;
  }
  EXPECT_GT(explained, 500u);
}

TEST(Explain, APlanOfAlmostNothing) {
  PlanSpec spec;
  uint32_t x = spec.addBuffered("x", DType::F32, {4});
  EntrySpec entry;
  entry.instructions = {makeFill({x}, 0, 1.0)};
  EntrySpec nothing;
  nothing.kind = fbs::EntryKind::Init;
  spec.entries = {nothing, entry};
  BuiltPlan built{spec};
  auto json = nlohmann::json::parse(explainJson(built.plan(), allExplainViews()));
  EXPECT_EQ(json["memory"]["spaces"]["device"]["at"], "train_step:0");
  EXPECT_EQ(json["memory"]["spaces"]["device"]["by_kind"]["working"], 16);
  EXPECT_FALSE(explainText(built.plan(), allExplainViews()).empty());
}

} // namespace
} // namespace zp::rt
