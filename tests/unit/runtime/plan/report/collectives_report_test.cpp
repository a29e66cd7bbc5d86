#include "runtime/plan/report/collectives_report.h"

#include <nlohmann/json.hpp>

#include "tests/unit/runtime/plan/codes_plan.h"
#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

void expectTraffic(const Traffic &traffic, uint64_t count, uint64_t bytes, uint64_t received) {
  EXPECT_EQ(traffic.count, count);
  EXPECT_EQ(traffic.bytes, bytes);
  EXPECT_EQ(traffic.received, received);
}

TEST(CollectivesReport, CountsBytesAsTheRuntimeDoes) {
  SamplePlan spec(4);
  spec.settings.push_back({"gradient_accumulation_steps", "3"});
  BuiltPlan built{spec};
  CollectivesReport report = collectivesReport(built.index());
  // train_step gathers 128 floats from 4 ranks; apply_gradients sums 16 floats: three quarters of both come from others.
  expectTraffic(report.entries[1].gathers, 1, 512, 384);
  expectTraffic(report.entries[2].reduces, 1, 64, 48);
  expectTraffic(report.entries[0].gathers, 0, 0, 0);
  expectTraffic(report.update.gathers, 3, 1536, 1152);
  expectTraffic(report.update.reduces, 1, 64, 48);
  expectTraffic(report.update.scatters, 0, 0, 0);
}

TEST(CollectivesReport, GatheredBytesAreSplitByUse) {
  BuiltPlan built{SamplePlan(4)};
  CollectiveSums sums = collectivesReport(built.index()).entries[1];
  EXPECT_EQ(sums.of(Gathered::Embedding).bytes, 128u); // [8,4] floats
  EXPECT_DOUBLE_EQ(sums.of(Gathered::Embedding).elements, 32);
  EXPECT_EQ(sums.of(Gathered::OtherFrozen).bytes, 384u); // the norm's 16 and the padding
  EXPECT_DOUBLE_EQ(sums.of(Gathered::OtherFrozen).elements, 4);
  EXPECT_EQ(sums.all().bytes, sums.gathers.bytes);
}

/// A frozen unit of one product's weight, [8,16] of 128 floats.
TEST(CollectivesReport, AWeightOfAProductIsALinear) {
  SamplePlan spec(2);
  spec.sections[0].parameters = {{"q.weight", "q.weight", "", {8, 16}, 0, fbs::Initial::Checkpoint}};
  uint32_t x = spec.addBuffered("x", DType::F32, {2, 16}, true), y = spec.addBuffered("y", DType::F32, {2, 8});
  uint32_t weight = spec.addTensor(spec.tensors[spec.gathered].buffer, DType::F32, {8, 16});
  spec.step().instructions[SamplePlan::kEmbed] = makeMatmul({x, weight, kNone, kNone, kNone, kNone, y}, 0, false, true, 1.0, false, 1.0);
  spec.step().instructions[SamplePlan::kScale] = makeFill({spec.embedded}, 0, 0.0);
  spec.init().instructions.push_back(makeFill({x}, 0, 1.0));
  BuiltPlan built{spec};
  CollectiveSums sums = collectivesReport(built.index()).entries[1];
  EXPECT_EQ(sums.of(Gathered::LinearFloats).bytes, 512u);
  EXPECT_EQ(sums.frozenLinears().bytes, 512u);
  EXPECT_DOUBLE_EQ(sums.frozenLinears().elements, 128);
}

TEST(CollectivesReport, CodesCountTheModelsElements) {
  CodesPlan spec = smallCodesPlan(2);
  BuiltPlan built{spec};
  CollectivesReport report = collectivesReport(built.index());
  // q [96,128] two records, one free, k [33,64] one record: 4, a multiple of 2 ranks; a record is 4368 bytes.
  EXPECT_EQ(report.entries[1].of(Gathered::LinearCodes).bytes, 4u * 4368);
  EXPECT_DOUBLE_EQ(report.entries[1].of(Gathered::LinearCodes).elements, 96 * 128 + 33 * 64);
  EXPECT_EQ(report.entries[1].frozenLinears().bytes, 4u * 4368);
  // init gathers a scale a block: no section's values.
  EXPECT_EQ(report.entries[0].of(Gathered::NoSection).bytes, 4u * 256 * 4);
  EXPECT_EQ(report.entries[0].of(Gathered::LinearCodes).bytes, 0u);
}

TEST(CollectivesReport, TrainedWeightsAreGatheredIntoTheirValues) {
  SamplePlan spec(2);
  SectionSpec trained;
  trained.name = "unit0.trainable";
  trained.kind = fbs::SectionKind::Trainable;
  trained.elements = 16;
  trained.gradientsSharded = trained.optimizerSharded = true;
  trained.parameters = {{"a.weight", "", "a.weight", {3, 5}, 0, fbs::Initial::Zero}};
  trained.values = spec.addBuffered("trained", DType::BF16, {16}, true);
  spec.sections.push_back(trained);
  uint32_t fresh = spec.addBuffered("fresh", DType::BF16, {8});
  spec.init().instructions.push_back(makeFill({fresh}, 0, 0.0));
  spec.init().instructions.push_back(makeAllGather({fresh, trained.values}, 0));
  BuiltPlan built{spec};
  CollectiveSums sums = collectivesReport(built.index()).entries[0];
  EXPECT_EQ(sums.of(Gathered::Trainable).bytes, 32u);
  EXPECT_DOUBLE_EQ(sums.of(Gathered::Trainable).elements, 15);
}

TEST(CollectivesReport, JsonAndTextSayTheSame) {
  SamplePlan spec(4);
  spec.settings.push_back({"gradient_accumulation_steps", "3"});
  BuiltPlan built{spec};
  PlanIndex index = built.index();
  CollectivesReport report = collectivesReport(index);
  nlohmann::ordered_json json = collectivesJson(index, report);
  EXPECT_EQ(json["update"]["all_gather"].dump(), R"({"count":3,"bytes":1536,"received_bytes":1152})");
  EXPECT_EQ(json["update"]["gathered"]["embedding"].dump(), R"({"bytes":384,"elements":96})");
  std::string text = collectivesText(index, report);
  EXPECT_NE(text.find("train_step          3  all_gather      1    512    512 B       384\n"), std::string::npos) << text;
  EXPECT_NE(text.find("all together   1536  1.54 kB       108           14.2222\n"), std::string::npos) << text;
}

} // namespace
} // namespace zp::rt
