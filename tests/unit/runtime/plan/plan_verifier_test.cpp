#include "runtime/plan/plan_verifier.h"

#include <gtest/gtest.h>
#include <limits>

#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

using namespace test;

/// One broken rule, and what the message says.
struct PlanFault {
  const char *name;
  std::function<void(SamplePlan &)> breakIt;
  const char *says;
};

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

const PlanFault kPlanFaults[] = {
    {"no_ranks", [](SamplePlan &p) { p.ranks = 0; }, "ranks: is 0"},
    {"too_many_ranks", [](SamplePlan &p) { p.ranks = 1u << 20; }, "ranks: is 1048576"},
    {"ranks_do_not_divide", [](SamplePlan &p) { p.ranks = 3; }, "sections[0] (unit0.frozen): has 128 elements"},
    {"unknown_target", [](SamplePlan &p) { p.target = "tpu"; }, "target: is \"tpu\""},
    {"unknown_setting", [](SamplePlan &p) { p.settings[0].first = "lora_rank"; }, "settings[0]: \"lora_rank\" is not a setting"},
    {"setting_twice", [](SamplePlan &p) { p.settings.push_back(p.settings[0]); }, "settings[2]: \"lora_r\" is given twice"},
    {"no_vocabulary", [](SamplePlan &p) { p.vocab = 0; }, "vocab_size: is 0"},
    {"no_streams", [](SamplePlan &p) { p.streams = 0; }, "streams: is 0"},
    {"many_streams", [](SamplePlan &p) { p.streams = 17; }, "streams: is 17"},
    {"unknown_tier", [](SamplePlan &p) { p.spaces[0].tier = static_cast<fbs::Tier>(9); }, "spaces[0]: tier is 9"},
    {"kernel_on_disk",
     [](SamplePlan &p) {
       p.spaces.push_back(p.spaces[0]);
       p.spaces[1].tier = p.buffers[p.tensors[p.embedded].buffer].tier = fbs::Tier::Disk;
       p.buffers[p.tensors[p.embedded].buffer].offset = 0;
     },
     "is in buffer embedded on disk"},
    {"space_twice", [](SamplePlan &p) { p.spaces.push_back(p.spaces[0]); }, "spaces[1]: tier Device has a space already"},
    {"huge_space", [](SamplePlan &p) { p.spaces[0].bytes = kHuge; }, "spaces[0]: has 18446744073709551615 bytes"},
    {"buffer_without_space", [](SamplePlan &p) { p.buffers[1].tier = fbs::Tier::Host; }, "buffers[1] (gathered): tier is 2"},
    {"buffer_kind", [](SamplePlan &p) { p.buffers[1].kind = static_cast<fbs::BufferKind>(10); }, "buffers[1] (gathered): kind is 10"},
    {"buffer_leaves_space", [](SamplePlan &p) { p.buffers[5].bytes += 1 << 20; }, "buffers[5] (sum): bytes ["},
    {"buffer_end_wraps", [](SamplePlan &p) { p.buffers[5].offset = kHuge - 63; }, "buffers[5] (sum): bytes ["},
    {"buffer_unaligned", [](SamplePlan &p) { p.buffers[5].offset += 4; }, "buffers[5] (sum): lies at"},
    {"buffer_empty", [](SamplePlan &p) { p.buffers[5].bytes = 0; }, "buffers[5] (sum): lies at"},
    {"tensor_buffer", [](SamplePlan &p) { p.tensors[0].buffer = 99; }, "tensors[0]: buffer is 99"},
    {"tensor_dtype", [](SamplePlan &p) { p.tensors[0].dtype = kDTypeCount; }, "tensors[0]: dtype is 7"},
    {"tensor_no_dims", [](SamplePlan &p) { p.tensors[0].dims = {}; }, "tensors[0]: has 0 dims"},
    {"tensor_many_dims",
     [](SamplePlan &p) {
       p.tensors[0].dims = {1, 1, 1, 1, 1};
     },
     "tensors[0]: has 5 dims"},
    {"tensor_zero_dim", [](SamplePlan &p) { p.tensors[0].dims = {0}; }, "tensors[0]: has a dim of 0"},
    {"tensor_negative_dim", [](SamplePlan &p) { p.tensors[0].dims = {-4}; }, "tensors[0]: has a dim of -4"},
    {"tensor_elements_wrap",
     [](SamplePlan &p) {
       p.tensors[0].dims = {1ll << 32, 1ll << 32, 2};
     },
     "tensors[0]: has a dim of"},
    {"tensor_leaves_buffer",
     [](SamplePlan &p) {
       p.tensors[p.late].dims = {4, 40};
     },
     "leaves buffer late"},
    {"tensor_offset_wraps", [](SamplePlan &p) { p.tensors[0].offset = kHuge - 3; }, "leaves buffer weights"},
    {"disk_buffers_share_a_block",
     [](SamplePlan &p) {
       p.spaces.push_back({fbs::Tier::Disk, 8192});
       p.buffers.push_back({"far", fbs::Tier::Disk, fbs::BufferKind::Weights, true, 2048, 64});
     },
     "(far): lies at 2048 with 64 bytes, expected some bytes at a multiple of 4096"},
    {"disk_tensors_share_a_block",
     [](SamplePlan &p) {
       p.spaces.push_back({fbs::Tier::Disk, 8192});
       p.buffers.push_back({"far", fbs::Tier::Disk, fbs::BufferKind::Weights, true, 0, 8192});
       p.addTensor(static_cast<uint32_t>(p.buffers.size() - 1), DType::F32, {16});
     },
     "shares a block of 4096 bytes of buffer far"},
    {"tensor_unaligned", [](SamplePlan &p) { p.tensors[p.late].offset = 2; }, "lies at byte 2"},
    {"section_kind", [](SamplePlan &p) { p.sections[0].kind = fbs::SectionKind::Scales; }, "sections[0] (unit0.frozen): kind is 3"},
    {"section_dtype", [](SamplePlan &p) { p.sections[0].dtype = static_cast<uint8_t>(DType::I32); }, "sections[0] (unit0.frozen): dtype is 4"},
    {"section_decay", [](SamplePlan &p) { p.sections[0].decayEnd = 129; }, "decay_end is 129"},
    {"section_no_values", [](SamplePlan &p) { p.sections[0].values = kNone; }, "values: is absent"},
    {"section_values_index", [](SamplePlan &p) { p.sections[0].values = 77; }, "values: is tensor 77"},
    {"section_values_size", [](SamplePlan &p) { p.sections[0].values = p.sum; }, "values: is f32[4,4], expected a float tensor of 128 elements"},
    {"section_values_volatile", [](SamplePlan &p) { p.sections[0].values = p.gathered; }, "not persistent"},
    {"section_stages", [](SamplePlan &p) { p.sections[0].kind = fbs::SectionKind::Trainable; }, "expected the stages of ZeRO"},
    {"parameter_overlap", [](SamplePlan &p) { p.sections[0].parameters[1].offset = 16; }, "parameters[1] (norm.weight): elements [16, +4)"},
    {"parameter_leaves_section", [](SamplePlan &p) { p.sections[0].parameters[1].offset = 127; }, "parameters[1] (norm.weight): elements [127, +4)"},
    {"parameter_offset_wraps", [](SamplePlan &p) { p.sections[0].parameters[1].offset = kHuge - 1; }, "parameters[1] (norm.weight): elements ["},
    {"parameter_shape", [](SamplePlan &p) { p.sections[0].parameters[1].shape = {-4}; }, "parameters[1] (norm.weight): has a shape"},
    {"parameter_twice", [](SamplePlan &p) { p.sections[0].parameters[1].name = "embed.weight"; }, "is in the plan twice"},
    {"parameter_no_tensor", [](SamplePlan &p) { p.sections[0].parameters[1].checkpoint = ""; }, "names no tensor"},
    {"parameter_initial", [](SamplePlan &p) { p.sections[0].parameters[1].initial = static_cast<fbs::Initial>(4); }, "initial is 4"},
    {"parameter_bound", [](SamplePlan &p) { p.sections[0].parameters[1].bound = std::numeric_limits<float>::infinity(); }, "initial_bound is inf"},
    {"no_entries", [](SamplePlan &p) { p.entries.clear(); }, "entries: are missing"},
    {"entry_kind", [](SamplePlan &p) { p.step().kind = static_cast<fbs::EntryKind>(99); }, "entries[1]: kind is 99"},
    {"entry_twice", [](SamplePlan &p) { p.entries.push_back(p.step()); }, "entries[3]: has the kind"},
    {"entry_huge", [](SamplePlan &p) { p.step().rows = p.step().length = 1u << 31; }, "entries[1]: has 2147483648 rows"},
    {"unknown_input", [](SamplePlan &p) { p.step().inputs[0].first = "inputs"; }, "entries[1].inputs[0] (inputs): is not an input"},
    {"input_twice", [](SamplePlan &p) { p.step().inputs[1] = p.step().inputs[0]; }, "entries[1].inputs[1] (input_ids): is there twice"},
    {"input_index", [](SamplePlan &p) { p.step().inputs[0].second = 1000; }, "entries[1].inputs[0] (input_ids): is tensor 1000"},
    {"input_size", [](SamplePlan &p) { p.step().length = 3; }, "entries[1].inputs[0] (input_ids): is i32[4], expected i32 with 6 elements"},
    {"source_absent", [](SamplePlan &p) { p.step().inputs[0].first = "source_ids"; }, "(source_ids): is i32[4], expected i32 with 0 elements"},
    {"source_size",
     [](SamplePlan &p) {
       p.step().inputs[0].first = "source_ids";
       p.step().sourceLength = 3;
     },
     "(source_ids): is i32[4], expected i32 with 6 elements"},
    {"source_huge", [](SamplePlan &p) { p.step().sourceLength = 1u << 31; }, "entries[1]: has 2 rows of 2147483648 tokens"},
    {"scalars_size", [](SamplePlan &p) { p.tensors[p.scalars].dims = {60}; }, "entries[1].inputs[1] (scalars): is u8[60]"},
    {"metrics_type", [](SamplePlan &p) { p.apply().outputs[0].first = "metrics"; },
     "entries[2].outputs[0] (metrics): is f32[4,4], expected f64 with 4"},
    {"unknown_opcode", [](SamplePlan &p) { p.step().instructions[3].op = static_cast<fbs::OpAttrs>(4); }, "entries[1].instructions[3]: opcode is 4"},
    {"no_attributes", [](SamplePlan &p) { p.step().instructions[3].attributes = nullptr; },
     "entries[1].instructions[3]: opcode is 40 or has no attributes"},
    {"stream", [](SamplePlan &p) { p.step().instructions[3].stream = 2; }, "entries[1].instructions[3] (embedding): stream is 2"},
    {"operands_missing", [](SamplePlan &p) { p.step().instructions[3].operands.pop_back(); }, "(embedding): has 2 operands, expected 3"},
    {"operand_absent", [](SamplePlan &p) { p.step().instructions[3].operands[0] = kNone; }, "(embedding): operand table is tensor"},
    {"operand_index", [](SamplePlan &p) { p.step().instructions[3].operands[1] = 555; }, "(embedding): operand ids is tensor 555"},
    {"event", [](SamplePlan &p) { p.events = 0; }, "(record_event): event is 0"},
    {"negative_event", [](SamplePlan &p) { p.step().instructions[1] = makeRecordEvent({}, 1, -1); }, "(record_event): event is -1"},
    {"gather_sizes",
     [](SamplePlan &p) {
       p.step().instructions[0] = makeAllGather({p.sum, p.gathered}, 1);
     },
     "(all_gather): shard is f32[4,4] and whole f32[128]"},
    {"reduce_dtype", [](SamplePlan &p) { p.apply().instructions[0] = makeAllReduce({p.ids}, 0); }, "(all_reduce): sums i32[4]"},
    {"copy_shapes",
     [](SamplePlan &p) {
       p.step().instructions[6] = makeCopy({p.embedded, p.gathered}, 0);
     },
     "(copy): copies f32[4,4] to f32[128]"},
    {"copy_onto_itself",
     [](SamplePlan &p) {
       p.step().instructions[6] = makeCopy({p.embedded, p.embedded}, 0);
     },
     "(copy): copies f32[4,4]"},
    {"load_outside_init", [](SamplePlan &p) { p.step().instructions[0] = makeLoadSection({p.shard}, 0, 0); },
     "(load_section): is in an entry of kind TrainStep"},
    {"load_section_index", [](SamplePlan &p) { p.init().instructions[0] = makeLoadSection({p.shard}, 0, 1); }, "(load_section): section is 1"},
    {"load_section_size", [](SamplePlan &p) { p.init().instructions[0] = makeLoadSection({p.sum}, 0, 0); }, "(load_section): target is f32[4,4]"},
};

class BrokenPlan : public testing::TestWithParam<PlanFault> {};

TEST_P(BrokenPlan, IsRefusedByName) {
  SamplePlan plan;
  GetParam().breakIt(plan);
  Status status = plan.load().status();
  ASSERT_EQ(status.code(), ErrorCode::PlanInvalid) << status.toString();
  EXPECT_NE(status.message().find(GetParam().says), std::string::npos) << status.message();
  EXPECT_EQ(status.message().rfind("plan.fb: ", 0), 0u) << status.message();
}
INSTANTIATE_TEST_SUITE_P(PlanVerifier, BrokenPlan, testing::ValuesIn(kPlanFaults), [](const auto &info) { return std::string(info.param.name); });

TEST(PlanVerifier, AcceptsTheSampleOnAnyDividingWorld) {
  for (uint32_t ranks : {1u, 2u, 4u}) {
    Status status = SamplePlan(ranks).load().status();
    EXPECT_TRUE(status.ok()) << status.toString();
  }
}

TEST(PlanVerifier, AnEncodersTokensAreCountedByThemselves) {
  SamplePlan plan;
  plan.step().inputs[0].first = "source_ids";
  plan.step().sourceLength = 2;
  plan.step().length = 7; // nothing has it
  Status status = plan.load().status();
  EXPECT_TRUE(status.ok()) << status.toString();
}

TEST(PlanVerifier, TheWholeSizeOfACollectiveFollowsTheRanks) {
  SamplePlan plan(2);
  plan.step().instructions[0] = makeAllGather({plan.gathered, plan.gathered}, 1);
  EXPECT_NE(plan.load().status().message().find("expected whole = 2 shards"), std::string::npos);
}

} // namespace
} // namespace zp::rt
