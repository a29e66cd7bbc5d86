#include "runtime/memory/plan_memory.h"

#include <cstring>
#include <gtest/gtest.h>

#include "runtime/memory/host_memory.h"
#include "runtime/memory/mapping.h"
#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

using test::SamplePlan;

TEST(PlannedMemory, BuffersLieAtTheirOffsets) {
  SamplePlan spec;
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok());
  auto memory = allocatePlanned(plan->plan(), 1, "");
  ASSERT_TRUE(memory.ok()) << memory.status().toString();
  uint8_t *first = (*memory)->buffer(0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % kPageBytes, 0u);
  for (uint32_t i = 0; i < spec.buffers.size(); ++i)
    EXPECT_EQ((*memory)->buffer(i), first + spec.buffers[i].offset) << spec.buffers[i].name;
}

TEST(PlannedMemory, MoreThanTheMachineHasIsRefusedWithBothSizes) {
  SamplePlan spec;
  spec.spaces[0].bytes = uint64_t{1} << 49;
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok());
  Status status = allocatePlanned(plan->plan(), 1, "").status();
  EXPECT_EQ(status.code(), ErrorCode::HostMemory);
  EXPECT_EQ(exitCodeOf(status.code()), 3);
  EXPECT_NE(status.message().find(std::to_string(uint64_t{1} << 49)), std::string::npos) << status.message();
  EXPECT_NE(status.message().find(std::to_string(hostMemoryLimit())), std::string::npos) << status.message();
}

TEST(PlannedMemory, TheRanksOfAMachineShareIt) {
  SamplePlan spec;
  spec.spaces[0].bytes = hostMemoryLimit() / 64 * 40 / 64 * 64; // 5/8 of it: one rank's, not two ranks'
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok()) << plan.status().toString();
  EXPECT_TRUE(allocatePlanned(plan->plan(), 1, "").ok()); // untouched, so it costs nothing
  EXPECT_EQ(allocatePlanned(plan->plan(), 2, "").status().code(), ErrorCode::HostMemory);
}

TEST(Mapping, TheSystemsRefusalIsAnError) {
  EXPECT_EQ(Mapping::create(uint64_t{1} << 60, "memory: test").status().code(), ErrorCode::HostMemory);
  EXPECT_EQ(Mapping::create(0, "memory: test")->data(), nullptr);
  auto large = Mapping::create(64 << 20, "memory: test");
  ASSERT_TRUE(large.ok());
  std::memset(large->data(), 1, large->bytes());
}

TEST(Mapping, PopulatingKeepsWhatIsThere) {
  auto memory = Mapping::create(16 << 20, "memory: test");
  ASSERT_TRUE(memory.ok());
  for (uint64_t at = 0; at < memory->bytes(); at += 2 * kPageBytes)
    memory->data()[at] = static_cast<uint8_t>(1 + at / kPageBytes % 251);
  memory->populate();
  for (uint64_t at = 0; at < memory->bytes(); at += kPageBytes)
    ASSERT_EQ(memory->data()[at], at / kPageBytes % 2 ? 0 : 1 + at / kPageBytes % 251) << at;
}

TEST(ShadowMemory, BuffersThatShareBytesInThePlanDoNotHere) {
  SamplePlan spec;
  auto plan = spec.load();
  auto memory = allocateShadow(plan->plan());
  ASSERT_TRUE(memory.ok());
  uint8_t *gathered = (*memory)->buffer(spec.tensors[spec.gathered].buffer), *late = (*memory)->buffer(spec.tensors[spec.late].buffer);
  std::memset(gathered, 1, 512);
  std::memset(late, 2, 512);
  EXPECT_EQ(gathered[0], 1);
  EXPECT_EQ(gathered[511], 1);
}

TEST(ShadowMemory, WorthlessBytesAreNanAndPersistentOnesZero) {
  SamplePlan spec;
  auto plan = spec.load();
  auto memory = allocateShadow(plan->plan());
  float value;
  std::memcpy(&value, (*memory)->buffer(spec.tensors[spec.embedded].buffer), sizeof(value));
  EXPECT_NE(value, value);
  std::memcpy(&value, (*memory)->buffer(spec.tensors[spec.sum].buffer), sizeof(value));
  EXPECT_EQ(value, 0);
  uint8_t *embedded = (*memory)->buffer(spec.tensors[spec.embedded].buffer);
  std::memset(embedded, 0, 64);
  (*memory)->poison(spec.tensors[spec.embedded].buffer);
  EXPECT_EQ(embedded[0], 0xff);
  EXPECT_EQ(embedded[63], 0xff);
}

TEST(ShadowMemory, AnAddressIsNamed) {
  SamplePlan spec;
  auto plan = spec.load();
  auto memory = allocateShadow(plan->plan());
  uint8_t *embedded = (*memory)->buffer(spec.tensors[spec.embedded].buffer);
  EXPECT_EQ((*memory)->locate(embedded + 3), "inside buffer embedded");
  EXPECT_EQ((*memory)->locate(embedded + 64), "0 bytes past the end of buffer embedded");
  EXPECT_EQ((*memory)->locate(&spec), "");
}

TEST(ShadowMemoryDeathTest, PastTheEndIsGuarded) {
  SamplePlan spec;
  auto plan = spec.load();
  auto memory = allocateShadow(plan->plan());
  volatile uint8_t *embedded = (*memory)->buffer(spec.tensors[spec.embedded].buffer);
  embedded[63] = 1;
  EXPECT_DEATH(embedded[64] = 1, "");
}

} // namespace
} // namespace zp::rt
