#include "runtime/plan/report/memory_report.h"

#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;
using Kind = fbs::BufferKind;

uint64_t of(const BytesByKind &bytes, Kind kind) { return bytes[static_cast<size_t>(kind)]; }
uint64_t sum(const BytesByKind &bytes) { return std::accumulate(bytes.begin(), bytes.end(), uint64_t{0}); }

/// On two ranks: weights 256 and sum 64 persistent; gathered 512, ids 16, scalars 64, embedded 64, late 512 (where gathered is).
SamplePlan kinded() {
  SamplePlan plan(2);
  auto kindOf = [&](uint32_t tensor, Kind kind) { plan.buffers[plan.tensors[tensor].buffer].kind = kind; };
  kindOf(plan.shard, Kind::Weights);
  kindOf(plan.gathered, Kind::Gathered);
  kindOf(plan.sum, Kind::Gradients);
  kindOf(plan.late, Kind::Checkpoints);
  return plan;
}

TEST(MemoryReport, KindsAddUpToTheArena) {
  BuiltPlan built{kinded()};
  MemoryReport report = memoryReport(built.index());
  const SpaceReport &device = report.spaces[0];
  // At train_step 0: persistent 320, gathered 512, and the inputs 16 + 64.
  EXPECT_EQ(device.entry, 1u);
  EXPECT_EQ(device.instruction, 0u);
  EXPECT_EQ(device.arenaBytes, 1024u);
  EXPECT_EQ(device.liveBytes, 912u);
  EXPECT_EQ(of(device.persistent, Kind::Weights), 256u);
  EXPECT_EQ(of(device.persistent, Kind::Gradients), 64u);
  EXPECT_EQ(sum(device.persistent), 320u);
  EXPECT_EQ(of(device.transient, Kind::Gathered), 512u);
  EXPECT_EQ(of(device.transient, Kind::Working), 80u);
  EXPECT_EQ(of(device.byKind(), Kind::Working), 80u + 112u); // what lies between buffers
  EXPECT_EQ(of(device.byKind(), Kind::Checkpoints), 0u);     // late lives later
  EXPECT_EQ(sum(device.byKind()), 1024u);
  EXPECT_EQ(device.mostByEntry, (std::vector<uint64_t>{320, 912, 320}));
  EXPECT_EQ(report.timeline, (std::vector<uint64_t>{912, 848, 848, 912, 384, 384, 896}));
}

TEST(MemoryReport, JsonHasTheShapeThatIsPromised) {
  BuiltPlan built{kinded()};
  PlanIndex index = built.index();
  nlohmann::ordered_json json = memoryJson(index, memoryReport(index));
  EXPECT_EQ(json.dump(), R"({"spaces":{"device":{"peak_bytes":1024,"at":"train_step:0","by_kind":{"weights":256,"adapters":0,)"
                         R"("gradients":64,"optimizer":0,"checkpoints":0,"gathered":512,"working":192,"communication":0}},)"
                         R"("pinned":{"peak_bytes":0,"at":"","by_kind":{"weights":0,"adapters":0,"gradients":0,"optimizer":0,"checkpoints":0,)"
                         R"("gathered":0,"working":0,"communication":0}},)"
                         R"("host":{"peak_bytes":0,"at":"","by_kind":{"weights":0,"adapters":0,"gradients":0,"optimizer":0,"checkpoints":0,)"
                         R"("gathered":0,"working":0,"communication":0}},)"
                         R"("nvme":{"peak_bytes":0,"at":"","by_kind":{"weights":0,"adapters":0,"gradients":0,"optimizer":0,"checkpoints":0,)"
                         R"("gathered":0,"working":0,"communication":0}}},"ranks":2,"target":"cpu"})");
}

TEST(MemoryReport, SpacesAreApart) {
  SamplePlan plan = kinded();
  // The sum moves to the host's arena: 64 bytes less that live on the device, at any time.
  BufferSpec &moved = plan.buffers[plan.tensors[plan.sum].buffer];
  moved.tier = fbs::Tier::Host;
  moved.offset = 0;
  plan.spaces.push_back({fbs::Tier::Host, 64});
  BuiltPlan built{plan};
  MemoryReport report = memoryReport(built.index());
  EXPECT_EQ(report.spaces[0].liveBytes, 848u);
  const SpaceReport &host = report.spaces[static_cast<size_t>(fbs::Tier::Host)];
  EXPECT_EQ(host.arenaBytes, 64u);
  EXPECT_EQ(of(host.byKind(), Kind::Gradients), 64u);
  EXPECT_EQ(host.entry, 0u); // persistent alone: as full in the first entry as anywhere
  EXPECT_EQ(sum(host.byKind()), 64u);
}

/// Two buffers that take turns in the same bytes, which the verifier allows: a writes, b writes and is read, a writes again.
TEST(MemoryReport, BytesOfTwoBuffersCountOnce) {
  PlanSpec spec;
  uint32_t a = spec.addBuffered("a", DType::F32, {16}), kept = spec.addBuffered("kept", DType::F32, {16}, true);
  spec.buffers.push_back(spec.buffers[0]);
  spec.buffers.back().name = "b";
  uint32_t b = spec.addTensor(2, DType::F32, {16});
  EntrySpec entry;
  entry.instructions = {makeFill({a}, 0, 1.0), makeFill({b}, 0, 2.0), makeCopy({b, kept}, 0), makeFill({a}, 0, 3.0), makeCopy({a, kept}, 0)};
  spec.entries = {entry};
  BuiltPlan built{spec};
  MemoryReport report = memoryReport(built.index());
  EXPECT_EQ(report.spaces[0].arenaBytes, 128u);
  EXPECT_EQ(report.spaces[0].liveBytes, 128u);
  EXPECT_EQ(of(report.spaces[0].byKind(), Kind::Working), 128u);
}

TEST(MemoryReport, TextNamesWhatAPersonLooksFor) {
  BuiltPlan built{kinded()};
  PlanIndex index = built.index();
  std::string text = memoryText(index, memoryReport(index));
  EXPECT_NE(text.find("device: peak 1024 bytes (1.02 kB), fullest at train_step:0 all_gather\n"), std::string::npos) << text;
  EXPECT_NE(text.find("arena 1024 bytes, most that lives at once 912: waste 1.1228 (112 bytes between buffers, counted as working)\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("gathered  512  512 B  gathered   all of unit0.frozen: embed.weight and 1 more\n"), std::string::npos) << text;
  EXPECT_NE(text.find("<- 0 all_gather\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("4-bit"), std::string::npos) << text;
}

} // namespace
} // namespace zp::rt
