#include "runtime/plan/schedule_verifier.h"

#include <chrono>
#include <gtest/gtest.h>

#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

using namespace test;
using Sample = SamplePlan;

struct ScheduleFault {
  const char *name;
  std::function<void(Sample &)> breakIt;
  const char *says;
};

void erase(EntrySpec &entry, size_t index) { entry.instructions.erase(entry.instructions.begin() + static_cast<std::ptrdiff_t>(index)); }

const ScheduleFault kScheduleFaults[] = {
    // S1
    {"s1_event_recorded_twice", [](Sample &p) { p.step().instructions.insert(p.step().instructions.begin() + 2, makeRecordEvent({}, 1, 0)); },
     "records event 0 again"},
    {"s1_event_awaited_twice", [](Sample &p) { p.step().instructions.push_back(makeWaitEvent({}, 0, 0)); }, "awaits event 0 again"},
    {"s1_event_never_recorded", [](Sample &p) { erase(p.step(), Sample::kRecord); }, "awaits event 0 that no instruction before it records"},
    {"s1_awaited_before_recorded", [](Sample &p) { std::swap(p.step().instructions[Sample::kRecord], p.step().instructions[Sample::kWait]); },
     "awaits event 0 that no instruction"},
    {"s1_event_never_awaited",
     [](Sample &p) {
       erase(p.step(), Sample::kWait);
       p.step().instructions[Sample::kGather].stream = p.step().instructions[Sample::kRecord].stream = 0;
     },
     "records event 0 that nobody awaits"},
    // S2
    {"s2_read_of_unwritten", [](Sample &p) { erase(p.step(), Sample::kEmbed); }, "(scale): reads buffer embedded at byte 0 that nobody has written"},
    {"s2_partly_unwritten",
     [](Sample &p) {
       p.tensors[p.ids].dims = {3};
       p.tensors.push_back({p.tensors[p.embedded].buffer, 0, 0, {3, 4}});
       p.step().instructions[Sample::kEmbed].operands[2] = static_cast<uint32_t>(p.tensors.size() - 1);
       p.step().rows = 1;
       p.step().length = 3;
     },
     "(scale): reads buffer embedded at byte 48"},
    {"s2_offset_moved_onto_a_live_buffer",
     [](Sample &p) { p.buffers[p.tensors[p.embedded].buffer].offset = p.buffers[p.tensors[p.ids].buffer].offset; },
     "(embedding): writes buffer embedded"},
    {"s2_overwritten_before_its_last_use",
     [](Sample &p) {
       // `late` is written while the table in the same memory is still to be read.
       auto &list = p.step().instructions;
       list.insert(list.begin() + Sample::kEmbed, makeFill({p.late}, 0, 1.0));
     },
     "(embedding): reads buffer gathered at byte 0 that instructions[3] wrote through buffer late"},
    {"s2_life_shortened",
     [](Sample &p) {
       // The arena believes that `ids` is over when `embedded` begins to be written elsewhere.
       p.buffers[p.tensors[p.scalars].buffer].offset = p.buffers[p.tensors[p.ids].buffer].offset;
     },
     "that the host or an earlier entry wrote through buffer scalars"},
    {"s2_accumulate_into_nothing", [](Sample &p) { p.step().instructions[Sample::kAccumulate].operands[1] = p.late; },
     "(accumulate): reads buffer late"},
    // S3
    {"s3_read_without_event",
     [](Sample &p) {
       erase(p.step(), Sample::kWait);
       erase(p.step(), Sample::kRecord);
     },
     "(embedding): reads buffer gathered at byte 0 that instructions[0] writes through buffer gathered on another stream"},
    {"s3_event_recorded_too_early", [](Sample &p) { std::swap(p.step().instructions[Sample::kGather], p.step().instructions[Sample::kRecord]); },
     "on another stream, expected an event"},
    {"s3_write_while_another_stream_reads", [](Sample &p) { p.step().instructions.push_back(makeFill({p.embedded}, 1, 0.0)); },
     "expected an event between them"},
    {"s3_two_writes", [](Sample &p) { p.step().instructions.insert(p.step().instructions.begin() + Sample::kWait, makeFill({p.gathered}, 0, 0.0)); },
     "(fill): writes buffer gathered at byte 0 that instructions[0]"},
    // S4
    {"s4_collectives_on_two_streams", [](Sample &p) { p.step().instructions.push_back(makeAllReduce({p.sum}, 0)); },
     "(all_reduce): is on stream 0, expected all collectives of an entry on stream 1"},
    {"s4_load_on_another_stream", [](Sample &p) { p.init().instructions[0].stream = 1; }, "(load_section): is on stream 1"},
    // S5
    {"s5_output_never_written", [](Sample &p) { erase(p.step(), Sample::kLate); }, "entries[1].outputs (late): takes buffer late"},
    {"s5_output_overwritten", [](Sample &p) { p.step().instructions.push_back(makeFill({p.gathered}, 0, 0.0)); },
     "entries[1].outputs (late): takes buffer late at byte 0 that instructions[7] wrote through buffer gathered"},
    // S6
    {"s6_persistent_under_a_working_buffer",
     [](Sample &p) {
       p.buffers[p.tensors[p.late].buffer].offset = p.buffers[p.tensors[p.sum].buffer].offset;
       p.spaces[0].bytes += 4096;
     },
     "expected persistent buffers apart"},
    {"s6_two_persistent", [](Sample &p) { p.buffers[p.tensors[p.sum].buffer].offset = p.buffers[p.tensors[p.shard].buffer].offset; },
     "(sum): overlaps buffers[0] (weights)"},
    // S7
    {"s7_state_without_initial_value", [](Sample &p) { erase(p.init(), 0); },
     "buffers[0] (weights): is read across entries at bytes [0, 512) that no entry writes"},
    {"s7_init_reads_before_it_writes",
     [](Sample &p) {
       p.init().instructions.insert(p.init().instructions.begin(), makeScale({p.sum, p.sum}, 0, 2.0));
     },
     "entries[0].instructions[0] (scale): reads buffer sum at byte 0 that nobody has written"},
};

class BrokenSchedule : public testing::TestWithParam<ScheduleFault> {};

TEST_P(BrokenSchedule, IsRefusedByName) {
  Sample plan;
  GetParam().breakIt(plan);
  Status status = plan.load().status();
  ASSERT_EQ(status.code(), ErrorCode::PlanInvalid) << status.toString();
  EXPECT_NE(status.message().find(GetParam().says), std::string::npos) << status.message();
}
INSTANTIATE_TEST_SUITE_P(ScheduleVerifier, BrokenSchedule, testing::ValuesIn(kScheduleFaults),
                         [](const auto &info) { return std::string(info.param.name); });

/// A product c = a·b of init-filled operands; `accumulate` decides whether c must have been written before.
static Status loadWithMatmul(bool accumulate) {
  PlanSpec plan;
  uint32_t a = plan.addBuffered("a", DType::F32, {2, 2}), b = plan.addBuffered("b", DType::F32, {2, 2}),
           c = plan.addBuffered("c", DType::F32, {2, 2});
  EntrySpec entry;
  entry.outputs = {{"c", c}};
  entry.instructions = {makeFill({a}, 0, 1.0), makeFill({b}, 0, 1.0),
                        makeMatmul({a, b, kNone, kNone, kNone, kNone, c}, 0, false, false, 1.0, accumulate, 1.0)};
  plan.entries = {entry};
  return plan.load().status();
}

TEST(ScheduleVerifier, AMatmulReadsItsTargetOnlyWhenItAccumulates) {
  EXPECT_TRUE(loadWithMatmul(false).ok()) << loadWithMatmul(false).toString();
  EXPECT_NE(loadWithMatmul(true).message().find("(matmul): reads buffer c at byte 0 that nobody has written"), std::string::npos);
}

/// The sample's file under the statement of what the sample computes.
static Status loadAsSample(const Sample &mutant) {
  return PlanFile::fromBytes(sealPlan(mutant.payload(), Sample().load()->dataflow()), "plan.fb").status();
}

TEST(ScheduleVerifier, ListsThatComputeSomethingElseAreRefused) { // S8
  Sample other;
  std::swap(other.step().instructions[Sample::kScale], other.step().instructions[Sample::kAccumulate]); // adds before it doubles
  EXPECT_TRUE(other.load().ok());
  EXPECT_NE(loadAsSample(other).message().find("compute something else than the header says"), std::string::npos) << loadAsSample(other).toString();
  Sample attribute;
  attribute.step().instructions[Sample::kScale] = makeScale(attribute.step().instructions[Sample::kScale].operands, 0, 2.5);
  EXPECT_TRUE(attribute.load().ok());
  EXPECT_FALSE(loadAsSample(attribute).ok());
}

TEST(ScheduleVerifier, TheSameInAnotherOrderOrPlaceIsTheSame) { // S8
  Sample later;
  std::swap(later.step().instructions[Sample::kAccumulate], later.step().instructions[Sample::kLate]); // independent
  later.buffers[later.tensors[later.embedded].buffer].offset += 4096;
  later.spaces[0].bytes += 8192;
  EXPECT_TRUE(loadAsSample(later).ok()) << loadAsSample(later).toString();
}

TEST(ScheduleVerifier, EventsOrderThroughAThirdStream) {
  PlanSpec plan;
  plan.streams = 3;
  plan.events = 2;
  uint32_t x = plan.addBuffered("x", DType::F32, {64});
  EntrySpec entry;
  entry.instructions = {makeFill({x}, 1, 1.0),     makeRecordEvent({}, 1, 0), makeWaitEvent({}, 2, 0),
                        makeRecordEvent({}, 2, 1), makeWaitEvent({}, 0, 1),   makeScale({x, x}, 0, 2.0)};
  entry.outputs = {{"x", x}};
  plan.entries = {entry};
  EXPECT_TRUE(plan.load().ok()) << plan.load().status().toString();
  plan.entries[0].instructions[3] = makeRecordEvent({}, 1, 1); // says nothing new, yet still orders stream 1
  EXPECT_TRUE(plan.load().ok());
  plan.entries[0].instructions[3] = makeRecordEvent({}, 0, 1); // of a stream that has seen nothing
  EXPECT_FALSE(plan.load().ok());
}

TEST(ScheduleVerifier, ThePlanOfALargeModelTakesUnderTwoSeconds) {
  // 80 blocks with two gathers each and 30 000 instructions in all, each reading windows of a gathered section.
  PlanSpec plan;
  plan.streams = 2;
  plan.events = 160;
  std::vector<uint32_t> shards, slots, windows[2];
  for (int i = 0; i < 160; ++i)
    shards.push_back(plan.addBuffered("shard" + std::to_string(i), DType::F32, {64 * 1024}, true));
  for (int half = 0; half < 2; ++half) {
    slots.push_back(plan.addBuffered("slot" + std::to_string(half), DType::F32, {64 * 1024}));
    for (uint64_t w = 0; w < 64; ++w)
      windows[half].push_back(plan.addTensor(plan.tensors[slots.back()].buffer, DType::F32, {1024}, w * 4096));
  }
  std::vector<uint32_t> activations;
  for (int i = 0; i < 200; ++i)
    activations.push_back(plan.addBuffered("activation" + std::to_string(i), DType::F32, {1024}));
  EntrySpec init, step;
  init.kind = fbs::EntryKind::Init;
  for (uint32_t shard : shards)
    init.instructions.push_back(makeFill({shard}, 0, 1.0));
  for (uint32_t i = 0; i < 160; ++i) {
    step.instructions.push_back(makeAllGather({shards[i], slots[i % 2]}, 0));
    for (size_t k = 0; k < 187; ++k)
      step.instructions.push_back(makeAdd({windows[i % 2][k % 64], windows[i % 2][(k + 1) % 64], activations[(i + k) % 200]}, 0));
  }
  plan.entries = {init, step};
  auto file = plan.file();
  auto loaded = PlanFile::fromBytes(file, "plan.fb");
  ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
  EXPECT_GT(loaded->plan().entries()->Get(1)->instructions()->size(), 30000u);
  auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(verifySchedule(loaded->plan(), "plan.fb").ok());
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 2.0);
}

} // namespace
} // namespace zp::rt
