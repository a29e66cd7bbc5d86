// A plan is damaged, sealed again with a right checksum, and loaded. It must be refused with a coded error, or else be a plan
// that can be printed, resolved and run: on memory whose every buffer is guarded, without leaving it.
// ZP_FUZZ_ROUNDS sets the number of random mutations (20000).
#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <random>

#include "runtime/collective/single/single_communicator.h"
#include "runtime/executor/executor.h"
#include "runtime/executor/resolve.h"
#include "runtime/io/section_loader.h"
#include "runtime/plan/plan_printer.h"
#include "runtime/schema/quant_records.h"
#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

using namespace test;

struct Tally {
  size_t refused = 0, accepted = 0, ran = 0;
};

/// Runs a plan that the loader took, when it is small enough to try.
void exercise(const PlanFile &plan, Tally &tally) {
  (void)printPlan(plan.plan());
  uint64_t bytes = 0;
  for (const fbs::Buffer *buffer : *plan.plan().buffers())
    bytes += buffer->bytes();
  if (plan.plan().ranks() != 1 || bytes > (1 << 20) || !checkInstructions(plan).ok())
    return;
  auto communicator = createSingleCommunicator();
  ExecutorOptions options;
  options.threads = 1;
  options.shadow = true;
  options.loadSection = [](uint32_t, const TensorPart &target, ParallelFor &) {
    std::fill_n(target.view.as<uint8_t>(), target.view.bytes(), uint8_t{0});
    return Status();
  };
  // What the real loaders touch: all of the records and scales that they are given.
  options.loadQuantized = [](uint32_t, const TensorPart &records, const TensorPart &scales, ParallelFor &) {
    std::fill_n(records.view.as<uint8_t>(), records.view.bytes(), uint8_t{0x77});
    if (scales)
      std::fill_n(scales.view.as<float>(), scales.view.elements(), 0.5f);
    return Status();
  };
  auto quantized = std::make_shared<SectionReader>(plan.plan(), communicator->rank(), SectionSources());
  options.nestScales = [quantized](uint32_t section, const TensorView &scales, const TensorPart &records, ParallelFor &parallel) {
    return quantized->nestScales(section, scales, records, parallel);
  };
  auto executor = Executor::create(plan, *communicator, options);
  ASSERT_TRUE(executor.ok()) << executor.status().toString();
  for (uint32_t i = 0; i < plan.plan().entries()->size(); ++i)
    ASSERT_TRUE((*executor)->run(i).ok());
  ++tally.ran;
}

void tryPayload(std::span<const uint8_t> payload, Tally &tally) {
  auto plan = PlanFile::fromBytes(sealPlan(payload), "plan.fb");
  if (!plan.ok()) {
    ASSERT_TRUE(plan.status().code() == ErrorCode::PlanFile || plan.status().code() == ErrorCode::PlanInvalid) << plan.status().toString();
    ASSERT_EQ(plan.status().message().find('\n'), std::string::npos);
    ++tally.refused;
    return;
  }
  ++tally.accepted;
  exercise(*plan, tally);
}

/// A section of codes beside the others, its scales nested by the loader's second instruction.
void addCodes(PlanSpec &plan) {
  const QuantRecords layout{QuantType::NF4, 32, true};
  const auto bytes = static_cast<int64_t>(3 * layout.bytes());
  SectionSpec section;
  section.name = "unit0.codes";
  section.kind = fbs::SectionKind::Codes;
  section.dtype = static_cast<uint8_t>(DType::U8);
  section.elements = static_cast<uint64_t>(bytes);
  section.parametersSharded = true;
  section.quantType = static_cast<uint8_t>(layout.type);
  section.blockSize = 32;
  section.nested = true;
  section.parameters = {{"q.weight", "q.weight", "", {96, 128}, 0, fbs::Initial::Checkpoint},
                        {"k.weight", "k.weight", "", {33, 64}, 2 * layout.bytes(), fbs::Initial::Checkpoint}};
  section.values = plan.addBuffered("codes", DType::U8, {bytes}, true);
  const uint32_t scales = plan.addBuffered("scales", DType::F32, {3 * 256});
  plan.sections.push_back(section);
  plan.entries[0].instructions.push_back(makeLoadQuantized({section.values, scales}, 0, 1));
  plan.entries[0].instructions.push_back(makeNestScales({scales, section.values}, 0, 1));
}

/// The sample, with a section of codes and one more entry of kernels that have workspaces, optional operands and attributes.
std::vector<uint8_t> seedPlan() {
  SamplePlan plan;
  addCodes(plan);
  plan.addBuffered("x", DType::F32, {4, 4});
  auto x = static_cast<uint32_t>(plan.tensors.size() - 1);
  uint32_t y = plan.addBuffered("y", DType::F32, {4, 4});
  EntrySpec entry;
  entry.kind = fbs::EntryKind::Evaluate;
  entry.rows = entry.length = 2;
  entry.inputs = {{"input_ids", plan.ids}, {"scalars", plan.scalars}};
  entry.outputs = {{"y", y}};
  entry.instructions = {makeFill({x}, 0, 0.5), makeMatmul({x, x, kNone, kNone, kNone, kNone, y}, 0, false, true, 1.0, false, 1.0),
                        makeMatmul({x, y, kNone, kNone, kNone, kNone, plan.embedded}, 0, true, false, 0.5, false, 1.0),
                        makeAdd({plan.embedded, y, y}, 0)};
  plan.entries.push_back(entry);
  return plan.payload();
}

TEST(PlanFuzz, TheSeedItselfRuns) {
  Tally tally;
  tryPayload(seedPlan(), tally);
  EXPECT_EQ(tally.ran, 1u);
}

TEST(PlanFuzz, EveryTruncationOfThePayload) {
  std::vector<uint8_t> payload = seedPlan();
  Tally tally;
  for (size_t size = 0; size < payload.size(); ++size)
    tryPayload({payload.data(), size}, tally);
  EXPECT_EQ(tally.refused + tally.accepted, payload.size());
  // A root offset, then nothing: the front of a plan is never a plan.
  EXPECT_GT(tally.refused, payload.size() / 2);
}

TEST(PlanFuzz, EveryByteTakesEveryKindOfFlip) {
  std::vector<uint8_t> payload = seedPlan();
  Tally tally;
  for (uint8_t &byte : payload) {
    const uint8_t before = byte;
    for (uint8_t value :
         {uint8_t(before ^ 0x01), uint8_t(before ^ 0x80), uint8_t(before ^ 0xff), uint8_t(before + 1), uint8_t(0), uint8_t(0xff), uint8_t(0x7f)}) {
      if (value == before)
        continue;
      byte = value;
      tryPayload(payload, tally);
      if (HasFatalFailure())
        FAIL() << "byte " << &byte - payload.data() << " as " << int{value};
    }
    byte = before;
  }
  // Both ways are taken: a fuzzer whose every plan is refused (or none) tests nothing.
  EXPECT_GT(tally.refused, 1000u);
  EXPECT_GT(tally.ran, 100u);
}

TEST(PlanFuzz, RandomMutationsOfBytesAndWords) {
  const std::vector<uint8_t> payload = seedPlan();
  const char *rounds = std::getenv("ZP_FUZZ_ROUNDS");
  std::mt19937_64 random(20261124);
  constexpr uint64_t kWords[] = {0,  1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0x80000000, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0},
                                 64, 63};
  Tally tally;
  for (long round = 0; round < (rounds ? std::atol(rounds) : 20000); ++round) {
    std::vector<uint8_t> mutant = payload;
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      size_t width = size_t{1} << random() % 4, at = random() % (mutant.size() - width) / width * width;
      uint64_t word = random() % 3 ? kWords[random() % std::size(kWords)] : random();
      if (random() % 4 == 0) { // another place's word: indices and offsets that are plausible
        size_t from = random() % (mutant.size() - width) / width * width;
        std::copy_n(payload.begin() + static_cast<std::ptrdiff_t>(from), width, mutant.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        for (size_t i = 0; i < width; ++i)
          mutant[at + i] = static_cast<uint8_t>(word >> (8 * i));
      }
    }
    tryPayload(mutant, tally);
    if (HasFatalFailure())
      FAIL() << "round " << round;
  }
  EXPECT_GT(tally.refused, 0u);
}

} // namespace
} // namespace zp::rt
