// Loading through pieces of host memory, in whatever order an emulated device does what events leave open.
#include "runtime/executor/cuda/host_loader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/device/cuda/emulated/streams.h"
#include "tests/unit/runtime/plan/codes_plan.h"

namespace zp::rt {
namespace {

using namespace rt::test;

/// A plan's memory, its loads by a loader that counts up, and work of the same stream before and after them.
class Loading : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    cuda::emulated::useOrder(GetParam());
    options.loadSection = [this](uint32_t, const TensorPart &target, ParallelFor &) {
      ++calls;
      for (int64_t i = 0; i < target.view.elements(); ++i)
        target.view.as<float>()[i] = static_cast<float>(target.first) + static_cast<float>(i);
      return Status();
    };
    options.loadQuantized = [this](uint32_t, const TensorPart &records, const TensorPart &scales, ParallelFor &) {
      ++calls;
      for (int64_t i = 0; i < records.view.elements(); ++i)
        records.view.as<uint8_t>()[i] = static_cast<uint8_t>((records.first + static_cast<uint64_t>(i)) % 251);
      for (int64_t i = 0; scales && i < scales.view.elements(); ++i)
        scales.view.as<float>()[i] = static_cast<float>(scales.first) + static_cast<float>(i);
      return Status();
    };
    options.nestScales = [this](uint32_t, const TensorView &scales, const TensorPart &records, ParallelFor &) {
      ++calls;
      for (int64_t i = 0; i < scales.elements(); ++i)
        EXPECT_EQ(scales.as<float>()[i], static_cast<float>(i));
      for (int64_t i = 0; i < records.view.elements(); ++i)
        ++records.view.as<uint8_t>()[i];
      return Status();
    };
  }
  void TearDown() override { cuda::emulated::useOrder("1"); }

  /// A tensor as work behind entry 0's loads sees it.
  std::vector<std::byte> loaded(const PlanSpec &spec, uint32_t tensor, uint64_t piece) {
    calls = 0;
    auto plan = spec.load();
    EXPECT_TRUE(plan.ok()) << plan.status().toString();
    std::vector<std::byte> memory(spec.spaces[0].bytes + 64);
    auto address = [&](uint32_t buffer) -> void * { return memory.data() + spec.buffers[buffer].offset; };
    auto resolved = resolve(*plan, address);
    EXPECT_TRUE(resolved.ok()) << resolved.status().toString();
    auto collectives = createSingleCollectives();
    const TensorView view = viewsOf(plan->plan(), address)[tensor];
    cuda::Stream stream = *cuda::createStream();
    std::vector<std::byte> seen;
    {
      HostLoader loader(plan->plan(), *resolved, options, 2, piece);
      cuda::emulated::ask(stream, [&] { std::fill(memory.begin(), memory.end(), std::byte(0xee)); });
      for (const ResolvedInstruction &instruction : resolved->entries[0])
        if (instruction.source->op_as_LoadSection() || instruction.source->op_as_LoadQuantized() || instruction.source->op_as_NestScales()) {
          Status status = loader.load(instruction, stream, *collectives);
          EXPECT_TRUE(status.ok()) << status.toString();
        }
      cuda::emulated::ask(stream, [&] { seen.assign(view.as<std::byte>(), view.as<std::byte>() + view.bytes()); });
      EXPECT_TRUE(cuda::synchronize(stream).ok());
    }
    cuda::destroyStream(stream);
    return seen;
  }

  ExecutorOptions options;
  int calls = 0;
};

TEST_P(Loading, ASectionInPiecesThatTakeTurns) {
  SamplePlan spec;
  for (uint64_t piece : {uint64_t{4}, uint64_t{12}, kLoadingPiece}) {
    const std::vector<std::byte> seen = loaded(spec, spec.shard, piece);
    std::vector<float> values(seen.size() / 4);
    std::memcpy(values.data(), seen.data(), seen.size());
    ASSERT_FALSE(values.empty());
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(values[i], static_cast<float>(i)) << "pieces of " << piece;
    EXPECT_EQ(calls, static_cast<int>((seen.size() + piece - 1) / piece));
  }
}

TEST_P(Loading, RecordsTheirScalesAndWhatNestsThem) {
  CodesPlan spec = smallCodesPlan();
  spec.scales = spec.addBuffered("scales", DType::F32, {1024});
  spec.init().instructions = {makeLoadQuantized({spec.codes, spec.scales}, 0, 0), makeNestScales({spec.scales, spec.codes}, 0, 0)};
  for (auto [piece, expectedCalls] : std::vector<std::pair<uint64_t, int>>{{1, 8}, {11040, 4}, {kLoadingPiece, 2}}) {
    const std::vector<std::byte> seen = loaded(spec, spec.codes, piece);
    ASSERT_EQ(seen.size(), 4 * spec.layout.bytes());
    for (size_t i = 0; i < seen.size(); ++i)
      ASSERT_EQ(static_cast<uint8_t>(seen[i]), static_cast<uint8_t>(i % 251 + 1)) << i << ", pieces of " << piece;
    EXPECT_EQ(calls, expectedCalls);
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, Loading, testing::Values("lowest", "highest", "1", "2", "3"));

} // namespace
} // namespace zp::rt
