// Sections of 4-bit codes: what the verifier takes, what it refuses, how they are printed.
#include <gtest/gtest.h>
#include <limits>

#include "runtime/plan/plan_printer.h"
#include "tests/unit/runtime/plan/codes_plan.h"

namespace zp::rt {
namespace {

using namespace test;

// A record of 32-element blocks, nested: 4096 bytes of codes, 256 of scales, 8, rounded up to 16. q has two records (12288
// elements), one is free, k has one (2112 elements): 4 records.
constexpr uint64_t kRecord = 4368;

struct CodesFault {
  const char *name;
  std::function<void(CodesPlan &)> breakIt;
  const char *says;
};

const CodesFault kCodesFaults[] = {
    {"dtype", [](CodesPlan &p) { p.section().dtype = static_cast<uint8_t>(DType::F32); }, "sections[0] (unit0.codes): dtype is 0, expected u8"},
    {"type", [](CodesPlan &p) { p.section().quantType = 2; }, "quant_type is 2, expected less than 2"},
    {"no_block_size", [](CodesPlan &p) { p.section().blockSize = 0; }, "block_size is 0, expected a power of two"},
    {"odd_block_size", [](CodesPlan &p) { p.section().blockSize = 48; }, "block_size is 48, expected a power of two"},
    {"large_block_size", [](CodesPlan &p) { p.section().blockSize = 1u << 31; }, "block_size is 2147483648, expected a power of two"},
    {"half_a_record", [](CodesPlan &p) { p.section().elements += kRecord; },
     "has 21840 bytes, expected whole records of 4368 bytes for each of 2 ranks"},
    {"huge", [](CodesPlan &p) { p.section().elements = ~uint64_t{0}; }, "expected 1 to 2^50"},
    {"values_size", [](CodesPlan &p) { p.section().values = p.gathered; }, "values: is u8[17472], expected a u8 tensor of 8736 elements"},
    {"values_dtype", [](CodesPlan &p) { p.tensors[p.codes].dtype = static_cast<uint8_t>(DType::F32), p.tensors[p.codes].dims = {8736 / 4}; },
     "values: is f32[2184], expected a u8 tensor"},
    {"no_values", [](CodesPlan &p) { p.section().values = kNone; }, "values: is absent"},
    {"a_gradient", [](CodesPlan &p) { p.section().gradient = p.scales; }, "has a master, moments or a gradient"},
    {"reserved_kind", [](CodesPlan &p) { p.section().kind = fbs::SectionKind::Scales; }, "kind is 3, expected frozen, trainable or codes"},
    {"off_a_record", [](CodesPlan &p) { p.section().parameters[1].offset -= 16; },
     "parameters[1] (k.weight): lies at byte 13088, expected a record's start"},
    {"leaves_the_section",
     [](CodesPlan &p) {
       p.section().parameters[1].shape = {33, 256};
     },
     "parameters[1] (k.weight): bytes [13104, +8736) overlap the parameter before it or leave the section of 17472"},
    {"overlap", [](CodesPlan &p) { p.section().parameters[1].offset = kRecord; }, "bytes [4368, +4368) overlap"},
    {"offset_wraps", [](CodesPlan &p) { p.section().parameters[1].offset = ~uint64_t{0} / kRecord * kRecord; }, "parameters[1] (k.weight): bytes ["},
    {"drawn", [](CodesPlan &p) { p.section().parameters[1].initial = fbs::Initial::Normal; }, "is drawn (Normal), expected codes"},
    {"load_section", [](CodesPlan &p) { p.init().instructions[0] = makeLoadSection({p.codes}, 0, 0); }, "(load_section): section 0 is of codes"},
    {"section_index",
     [](CodesPlan &p) {
       p.init().instructions[0] = makeLoadQuantized({p.codes, p.scales}, 0, 1);
     },
     "(load_quantized): section is 1"},
    {"negative_section",
     [](CodesPlan &p) {
       p.init().instructions[2] = makeNestScales({p.allScales, p.codes}, 0, -1);
     },
     "(nest_scales): section is -1"},
    {"target_dtype",
     [](CodesPlan &p) {
       p.init().instructions[0] = makeLoadQuantized({p.allScales, p.scales}, 0, 0);
     },
     "(load_quantized): target is f32[1024], expected u8 with the section's 17472 bytes"},
    {"target_size",
     [](CodesPlan &p) {
       p.tensors.push_back(p.tensors[p.codes]),
           p.tensors.back().dims = {kRecord},
           p.init().instructions[0] = makeLoadQuantized({static_cast<uint32_t>(p.tensors.size() - 1), p.scales}, 0, 0);
     },
     "(load_quantized): target is u8[4368]"},
    {"scales_missing",
     [](CodesPlan &p) {
       p.init().instructions[0] = makeLoadQuantized({p.codes, kNone}, 0, 0);
     },
     "(load_quantized): has no scales"},
    {"scales_size",
     [](CodesPlan &p) {
       p.init().instructions[0] = makeLoadQuantized({p.codes, p.allScales}, 0, 0);
     },
     "(load_quantized): scales are f32[1024], expected f32 with 512 elements"},
    {"scales_dtype",
     [](CodesPlan &p) {
       p.tensors[p.scales].dtype = static_cast<uint8_t>(DType::I32), p.tensors[p.allScales].dtype = static_cast<uint8_t>(DType::I32);
     },
     "(load_quantized): scales are i32[512], expected f32"},
    {"scales_of_plain", [](CodesPlan &p) { p.section().prequantized = true; }, "(load_quantized): has scales, expected them for nested scales"},
    {"nest_half",
     [](CodesPlan &p) {
       p.init().instructions[2] = makeNestScales({p.scales, p.codes}, 0, 0);
     },
     "(nest_scales): scales are f32[512], expected f32 with 1024 elements"},
    {"nest_records",
     [](CodesPlan &p) {
       p.init().instructions[2] = makeNestScales({p.allScales, p.scales}, 0, 0);
     },
     "(nest_scales): records is f32[512], expected u8"},
    {"nest_prequantized", [](CodesPlan &p) { p.section().prequantized = true, p.init().instructions.erase(p.init().instructions.begin()); },
     "(nest_scales): is for a section whose scales aren't nested here"},
    {"outside_init",
     [](CodesPlan &p) {
       p.entries[1].instructions = {makeLoadQuantized({p.codes, p.scales}, 0, 0)};
     },
     "(load_quantized): is in an entry of kind TrainStep"},
};

class BrokenCodes : public testing::TestWithParam<CodesFault> {};

TEST_P(BrokenCodes, AreRefusedByName) {
  CodesPlan plan = smallCodesPlan(2);
  GetParam().breakIt(plan);
  Status status = plan.load().status();
  ASSERT_EQ(status.code(), ErrorCode::PlanInvalid) << status.toString();
  EXPECT_NE(status.message().find(GetParam().says), std::string::npos) << status.message();
}
INSTANTIATE_TEST_SUITE_P(Codes, BrokenCodes, testing::ValuesIn(kCodesFaults), [](const auto &info) { return std::string(info.param.name); });

TEST(Codes, EveryKindOfSectionIsAccepted) {
  for (uint32_t ranks : {1u, 2u, 3u})
    for (bool nested : {false, true})
      for (bool sharded : {false, true})
        for (bool prequantized : {false, true}) {
          CodesPlan plan({QuantType::FP4, 64, nested}, {{"a", {5, 7}}, {"b", {300, 64}}}, {ranks, sharded, prequantized, false});
          Status status = plan.load().status();
          EXPECT_TRUE(status.ok()) << status.toString();
          EXPECT_EQ(plan.exchanges(), nested && sharded && !prequantized && ranks > 1);
        }
}

TEST(Codes, AReplicatedSectionNeedsNoMultipleOfTheRanks) {
  CodesPlan plan({QuantType::NF4, 64, true}, {{"a", {5, 7}}}, {3, false, false, false});
  plan.section().elements = plan.layout.bytes();
  plan.tensors[plan.codes].dims = {static_cast<int64_t>(plan.layout.bytes())};
  Status status = plan.load().status();
  EXPECT_TRUE(status.ok()) << status.toString();
}

TEST(Codes, AFloatSectionIsNotLoadedAsCodes) {
  SamplePlan plan;
  plan.init().instructions[0] = makeLoadQuantized({plan.shard, kNone}, 0, 0);
  EXPECT_NE(plan.load().status().message().find("(load_quantized): section 0 is of floats, expected one of codes"), std::string::npos);
}

TEST(Codes, ArePrintedWithTheirFormat) {
  auto plan = smallCodesPlan(2).load();
  ASSERT_TRUE(plan.ok()) << plan.status().toString();
  std::string text = printPlan(plan->plan());
  EXPECT_NE(text.find("section 0 unit0.codes unit=0 codes u8 elements=17472 sharded=parameters decay_end=0 nf4/32 nested values=%0\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("load_quantized target=%0 u8[8736] codes+0, scales=%1 f32[512] scales+0\n"), std::string::npos) << text;
  CodesPlan other({QuantType::FP4, 64, false}, {{"a", {64, 64}}}, {1, false, true, false});
  auto loaded = other.load();
  ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
  EXPECT_NE(printPlan(loaded->plan()).find(" fp4/64 prequantized values=%0\n"), std::string::npos);
}

} // namespace
} // namespace zp::rt
