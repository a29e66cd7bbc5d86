#include "runtime/plan/report/kernels_report.h"

#include <nlohmann/json.hpp>

#include "runtime/plan/report/operations.h"
#include "tests/unit/runtime/plan/codes_plan.h"
#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

TEST(Operations, PairsOfAttention) {
  EXPECT_DOUBLE_EQ(attendedPairs(4, 4, true, 0), 10); // 1 + 2 + 3 + 4
  EXPECT_DOUBLE_EQ(attendedPairs(4, 4, true, 2), 7);  // 1 + 2 + 2 + 2
  EXPECT_DOUBLE_EQ(attendedPairs(4, 4, true, 4), 10);
  EXPECT_DOUBLE_EQ(attendedPairs(4, 4, true, 1), 4);
  EXPECT_DOUBLE_EQ(attendedPairs(4, 4, false, 0), 16);
  EXPECT_DOUBLE_EQ(attendedPairs(4, 7, false, 0), 28);
}

/// A plan of one instruction, over tensors of the given shapes, whose kernel's rules nobody asks.
struct OneInstruction : PlanSpec {
  OneInstruction(fbs::OpAttrs op, std::function<flatbuffers::Offset<void>(Fbb &)> attributes, std::vector<std::vector<int64_t>> shapes) {
    InstructionSpec instruction{op, {}, std::move(attributes), 0};
    for (size_t i = 0; i < shapes.size(); ++i)
      instruction.operands.push_back(shapes[i].empty() ? kNone : addBuffered("t" + std::to_string(i), DType::BF16, shapes[i], true));
    EntrySpec entry;
    entry.instructions = {instruction};
    EntrySpec initial;
    initial.kind = fbs::EntryKind::Init;
    initial.rows = initial.length = 0;
    for (uint32_t operand : instruction.operands)
      if (operand != kNone)
        initial.instructions.push_back(makeFill({operand}, 0, 1.0));
    entries = {initial, entry};
  }
};

double operationsOf(const PlanSpec &spec) {
  BuiltPlan built{spec};
  return ::zp::rt::operationsOf(built.index(), *built.plan().entries()->Get(1)->instructions()->Get(0));
}

TEST(Operations, OfAProduct) {
  auto matmul = [](bool transposeA) { return [=](Fbb &fbb) { return fbs::CreateMatmulAttrs(fbb, transposeA, false, 1.0, false, 1.0).Union(); }; };
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::Matmul, matmul(false), {{2, 5}, {5, 3}, {}, {}, {}, {}, {2, 3}})), 2 * 2 * 3 * 5);
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::Matmul, matmul(true), {{5, 2}, {5, 3}, {}, {}, {}, {}, {2, 3}})), 2 * 2 * 3 * 5);
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::Matmul, matmul(false), {{2, 5}, {5, 3}, {}, {2, 4}, {4, 3}, {}, {2, 3}})),
                   2 * 2 * 3 * (5 + 4));
}

TEST(Operations, OfAQuantisedProductTheWeightsShapeCounts) {
  auto attributes = [](Fbb &fbb) { return fbs::CreateNF4MatmulAttrs(fbb, 6, 4, true, 1.0, false, 0, 64, false, 1.0).Union(); };
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::NF4Matmul, attributes, {{3, 4}, {100}, {}, {}, {}, {}, {}, {3, 6}})), 2 * 3 * 6 * 4);
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::NF4Matmul, attributes, {{3, 4}, {100}, {}, {3, 2}, {6, 2}, {}, {}, {3, 6}})),
                   2 * 3 * 6 * (4 + 2));
}

TEST(Operations, OfAttentionAndItsGradient) {
  // Two rows of 4 tokens, 10 pairs each or 4·5 across, 6 features over all heads; two products, and five.
  for (const bool causal : {true, false}) {
    const int64_t keyLength = causal ? 4 : 5, keys = 2 * keyLength, pairs = causal ? 10 : 20;
    auto forward = [=](Fbb &fbb) { return fbs::CreateAttentionAttrs(fbb, 3, 1, 4, 0, 1.0, keyLength, causal, false).Union(); };
    auto backward = [=](Fbb &fbb) { return fbs::CreateAttentionGradientAttrs(fbb, 3, 1, 4, 0, 1.0, keyLength, causal, false).Union(); };
    EXPECT_DOUBLE_EQ(
        operationsOf(OneInstruction(fbs::OpAttrs::Attention, forward, {{8, 6}, {keys, 2}, {keys, 2}, {8}, {keys}, {}, {}, {}, {8, 6}, {3, 8}})),
        2 * 2 * 2 * pairs * 6);
    EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(
                         fbs::OpAttrs::AttentionGradient, backward,
                         {{8, 6}, {8, 6}, {keys, 2}, {keys, 2}, {8, 6}, {3, 8}, {8}, {keys}, {}, {}, {}, {8, 6}, {keys, 2}, {keys, 2}, {}})),
                     2 * 5 * 2 * pairs * 6);
  }
}

TEST(Operations, OfTheLossAProductForTheLogitsAndOneForEachGradient) {
  auto loss = [](Fbb &fbb) { return fbs::CreateLinearCrossEntropyAttrs(fbb, 4, 4).Union(); };
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::LinearCrossEntropy, loss, {{8, 6}, {9, 6}, {8}, {64}, {1}, {}, {}, {}})), 2 * 8 * 9 * 6);
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::LinearCrossEntropy, loss, {{8, 6}, {9, 6}, {8}, {64}, {1}, {8, 6}, {}, {}})),
                   2 * 2 * 8 * 9 * 6);
  EXPECT_DOUBLE_EQ(operationsOf(OneInstruction(fbs::OpAttrs::LinearCrossEntropy, loss, {{8, 6}, {9, 6}, {8}, {64}, {1}, {8, 6}, {9, 6}, {}})),
                   3 * 2 * 8 * 9 * 6);
}

TEST(Operations, WhatIsDoneElementByElementCountsAsNone) {
  BuiltPlan built{SamplePlan()};
  PlanIndex index = built.index();
  for (const fbs::Instruction *instruction : *built.plan().entries()->Get(1)->instructions())
    EXPECT_EQ(::zp::rt::operationsOf(index, *instruction), 0);
}

TEST(KernelsReport, CountsOpsAndTheBytesTheyTouch) {
  SamplePlan spec;
  spec.settings.push_back({"gradient_accumulation_steps", "5"});
  BuiltPlan built{spec};
  KernelsReport report = kernelsReport(built.index());
  EXPECT_EQ(report.entries[1].at("scale").count, 1u);
  EXPECT_EQ(report.entries[1].at("scale").bytes, 64u + 64u);          // source read, target written
  EXPECT_EQ(report.entries[1].at("accumulate").bytes, 64u + 2 * 64u); // target read and written
  EXPECT_EQ(report.entries[1].at("embedding").bytes, 128u + 16 + 64);
  EXPECT_EQ(report.update.at("scale").count, 5u);
  EXPECT_EQ(report.update.at("all_reduce").count, 1u);
  EXPECT_EQ(report.entries[1].at("scale").dtypes, (std::map<std::string, uint64_t>{{"f32", 1}}));
}

TEST(KernelsReport, PrecisionComesFromThePlansTensors) {
  SamplePlan spec(2);
  SectionSpec trained;
  trained.name = "unit0.trainable";
  trained.kind = fbs::SectionKind::Trainable;
  trained.elements = 16;
  trained.gradientsSharded = trained.optimizerSharded = true;
  trained.parameters = {{"a.weight", "", "a.weight", {4, 4}, 0, fbs::Initial::Zero}};
  trained.values = spec.addBuffered("trained", DType::BF16, {16}, true);
  trained.master = spec.addBuffered("master", DType::F32, {8}, true);
  trained.moment1 = spec.addBuffered("m", DType::F32, {8}, true);
  trained.moment2 = spec.addBuffered("v", DType::F32, {8}, true);
  trained.gradient = spec.addBuffered("g", DType::F32, {8}, true);
  spec.sections.push_back(trained);
  uint32_t x = spec.addBuffered("x", DType::BF16, {2, 4}), w = spec.addTensor(spec.tensors[trained.values].buffer, DType::BF16, {4, 4});
  uint32_t y = spec.addBuffered("y", DType::F32, {2, 4});
  spec.init().instructions.push_back(makeFill({trained.values}, 0, 0.0));
  spec.step().instructions.push_back(makeFill({x}, 0, 1.0));
  spec.step().instructions.push_back(makeMatmul({x, w, kNone, kNone, kNone, kNone, y}, 0, false, true, 1.0, false, 1.0));
  BuiltPlan built{spec};
  PlanIndex index = built.index();
  KernelsReport report = kernelsReport(index);
  EXPECT_EQ(report.precision.compute, "bf16");
  EXPECT_EQ(report.precision.frozenFloats, "f32");
  EXPECT_EQ(report.precision.trainableCopy, "bf16");
  EXPECT_EQ(report.precision.masters, "f32");
  EXPECT_EQ(report.precision.gradients, "f32");
  EXPECT_EQ(report.precision.adapterFile, "f32");
  EXPECT_EQ(report.precision.codes, "");
  EXPECT_EQ(report.precision.quantStorage, "");
  EXPECT_EQ(kernelsText(index, report).find("bnb_4bit"), std::string::npos);
}

TEST(KernelsReport, FourBitWeightsAreNamedAsPeftNamesThem) {
  CodesPlan spec = smallCodesPlan(2);
  spec.settings.push_back({"bnb_4bit_quant_storage_dtype", "bfloat16"});
  BuiltPlan built{spec};
  PlanIndex index = built.index();
  KernelsReport report = kernelsReport(index);
  EXPECT_EQ(report.precision.codes, "nf4, blocks of 32, nested scales, quantised while loading");
  EXPECT_EQ(report.precision.quantStorage, "bfloat16");
  std::string text = kernelsText(index, report);
  EXPECT_NE(text.find("bfloat16 [bnb_4bit_quant_storage_dtype]"), std::string::npos) << text;
  // 4 records of 4368 bytes for 96·128 + 33·64 elements.
  EXPECT_NE(text.find("9.707, scales and padding in it"), std::string::npos) << text;
}

} // namespace
} // namespace zp::rt
