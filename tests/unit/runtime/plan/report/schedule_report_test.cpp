#include "runtime/plan/report/schedule_report.h"

#include <nlohmann/json.hpp>

#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

TEST(ScheduleReport, AGatherThatIsAwaitedAtOnceHidesBehindNothing) {
  BuiltPlan built{SamplePlan(2)};
  ScheduleReport report = scheduleReport(built.index());
  const EntrySchedule &step = report.entries[1];
  EXPECT_EQ(step.instructionsByStream, (std::vector<uint32_t>{5, 2}));
  EXPECT_EQ(step.events, 1u);
  ASSERT_EQ(step.flights.size(), 1u);
  EXPECT_EQ(step.flights[0].instruction, 0u);
  EXPECT_EQ(step.flights[0].awaited, 2u);
  EXPECT_EQ(step.flights[0].kernels, 0u);
  EXPECT_EQ(step.flights[0].what, "unit0.frozen");
  EXPECT_EQ(step.flights[0].bytes, 512u);
}

TEST(ScheduleReport, DistanceIsWhatStream0DoesMeanwhile) {
  SamplePlan spec(2);
  uint32_t a = spec.addBuffered("a", DType::F32, {2, 5}), b = spec.addBuffered("b", DType::F32, {2, 3}),
           w = spec.addBuffered("w", DType::F32, {5, 3});
  auto &list = spec.step().instructions;
  // Two fills and a product of 2·2·5·3 operations, and a copy, which no kernel does.
  uint32_t c = spec.addBuffered("c", DType::F32, {2, 3});
  list.insert(list.begin() + SamplePlan::kWait,
              {makeFill({a}, 0, 1.0), makeFill({w}, 0, 1.0), makeMatmul({a, w, kNone, kNone, kNone, kNone, b}, 0, false, false, 1.0, false, 1.0),
               makeCopy({b, c}, 0)});
  BuiltPlan built{spec};
  Flight flight = scheduleReport(built.index()).entries[1].flights.at(0);
  EXPECT_EQ(flight.awaited, 6u);
  EXPECT_EQ(flight.instructions, 4u);
  EXPECT_EQ(flight.kernels, 3u);
  EXPECT_DOUBLE_EQ(flight.operations, 60);
}

TEST(ScheduleReport, AReductionIsNamedForTheGradientThatItFeeds) {
  SamplePlan spec(2);
  SectionSpec trained;
  trained.name = "unit0.trainable";
  trained.kind = fbs::SectionKind::Trainable;
  trained.elements = 16;
  trained.gradientsSharded = trained.optimizerSharded = true;
  trained.parameters = {{"a.weight", "", "a.weight", {4, 4}, 0, fbs::Initial::Zero}};
  trained.values = spec.addBuffered("trained", DType::F32, {16}, true);
  trained.gradient = spec.addBuffered("gradient", DType::F32, {8}, true);
  spec.sections.push_back(trained);
  uint32_t part = spec.addBuffered("part", DType::F32, {8});
  spec.init().instructions.push_back(makeFill({trained.gradient}, 0, 0.0));
  spec.apply().instructions = {makeReduceScatter({spec.sum, part}, 0), makeAccumulate({part, trained.gradient}, 0, 1.0)};
  BuiltPlan built{spec};
  EXPECT_EQ(scheduleReport(built.index()).entries[2].flights.at(0).what, "unit0.trainable gradient");
}

TEST(ScheduleReport, ACollectiveOnStream0WaitsForItself) {
  BuiltPlan built{SamplePlan(2)};
  PlanIndex index = built.index();
  ScheduleReport report = scheduleReport(index);
  ASSERT_EQ(report.entries[2].flights.size(), 1u);
  EXPECT_EQ(report.entries[2].flights[0].awaited, 0u);
  EXPECT_EQ(report.entries[2].flights[0].what, "sum");
  std::string text = scheduleText(index, report);
  EXPECT_NE(text.find("train_step: 5 instructions on stream 0, 2 instructions on stream 1, 1 events\n  all_gather: 1, 1 awaited at once\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(scheduleJson(index, report)["entries"]["apply_gradients"]["collectives"][0]["op"], "all_reduce");
}

} // namespace
} // namespace zp::rt
