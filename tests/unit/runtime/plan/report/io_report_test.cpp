#include "runtime/plan/report/io_report.h"

#include <nlohmann/json.hpp>

#include "tests/unit/runtime/plan/codes_plan.h"
#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

TEST(IoReport, EachRankReadsWhatItOwns) {
  // 128 elements on two ranks: the table's 32 from 0 on, the norm's 4 from 64 on. config.json names no dtype: float32.
  BuiltPlan built{SamplePlan(2)};
  PlanIndex index = built.index();
  IoReport report = ioReport(index);
  ASSERT_EQ(report.reads.size(), 1u);
  EXPECT_TRUE(report.reads[0].sharded);
  EXPECT_EQ(report.reads[0].tensors, 2u);
  EXPECT_EQ(report.reads[0].elements, (std::vector<uint64_t>{32, 4}));
  EXPECT_EQ(report.bytesByRank(index), (std::vector<uint64_t>{128, 16}));
}

TEST(IoReport, AParameterMayBeCutBetweenRanks) {
  // Four ranks own 32 elements each: a parameter of [6,10] at 16 lies on three of them.
  SamplePlan spec(4);
  spec.sections[0].parameters = {{"w", "w", "", {6, 10}, 16, fbs::Initial::Checkpoint}};
  BuiltPlan built{spec};
  EXPECT_EQ(ioReport(built.index()).elements, (std::vector<uint64_t>{16, 32, 12, 0}));
}

TEST(IoReport, EveryRankReadsAllOfAReplicatedSection) {
  SamplePlan spec(2);
  spec.sections[0].parametersSharded = false;
  uint32_t whole = spec.addBuffered("whole", DType::F32, {128}, true);
  spec.sections[0].values = whole;
  spec.init().instructions[0] = makeLoadSection({whole}, 0, 0);
  spec.init().instructions.push_back(makeFill({spec.shard}, 0, 0.0));
  BuiltPlan built{spec};
  EXPECT_EQ(ioReport(built.index()).elements, (std::vector<uint64_t>{36, 36}));
}

TEST(IoReport, WhatIsDrawnIsNotRead) {
  SamplePlan spec(2);
  spec.sections[0].parameters[0].initial = fbs::Initial::Uniform;
  spec.sections[0].parameters[0].bound = 1;
  BuiltPlan built{spec};
  EXPECT_EQ(ioReport(built.index()).elements, (std::vector<uint64_t>{0, 4}));
}

TEST(IoReport, CodesAreReadRecordByRecord) {
  // Records of 8192 elements. q: 12288 in records 0 and 1, record 2 is free, k: 2112 in record 3; two records a rank.
  BuiltPlan built{smallCodesPlan(2)};
  PlanIndex index = built.index();
  IoReport report = ioReport(index);
  EXPECT_EQ(report.elements, (std::vector<uint64_t>{12288, 2112}));
  EXPECT_EQ(report.bytesByRank(index), (std::vector<uint64_t>{12288 * 4, 2112 * 4}));
}

TEST(IoReport, OfAQuantisedCheckpointCodesAndScalesAreRead) {
  CodesPlan spec({QuantType::NF4, 64, true}, {{"q.weight", {256, 128}}}, {1, false, true, false});
  BuiltPlan built{spec};
  PlanIndex index = built.index();
  // 32768 elements: 16384 bytes of codes, 512 blocks with a byte each, two groups with a float each.
  EXPECT_EQ(ioReport(index).bytesByRank(index), (std::vector<uint64_t>{16384 + 512 + 8}));
}

} // namespace
} // namespace zp::rt
