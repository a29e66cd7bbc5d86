// A copy of state is the file that the state itself would make, byte for byte, whoever makes its checksum.
#include "runtime/trainer/state_snapshot.h"

#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

/// Pieces of all sizes and types: parts of a line, a block less and more than one, several.
struct State {
  State() {
    constexpr uint64_t kBlock = 1 << 15;
    for (uint64_t count : {uint64_t{1}, uint64_t{7}, kBlock - 1, kBlock + 3, 5 * kBlock + 17, uint64_t{64}}) {
      auto &values = floats.emplace_back(count);
      for (uint64_t i = 0; i < count; ++i)
        values[i] = static_cast<float>((i * 2654435761u + count) % 1000003);
      pieces.push_back({"p" + std::to_string(pieces.size()), StateKind::Master, 0, count, reinterpret_cast<std::byte *>(values.data()), DType::F32});
    }
    auto &values = halves.emplace_back(70001);
    std::iota(values.begin(), values.end(), uint16_t{0x3f00});
    for (uint16_t &value : values)
      value = static_cast<uint16_t>(value & 0x3fff); // finite, as bf16
    pieces.push_back({"half", StateKind::Moment1, 5, values.size(), reinterpret_cast<std::byte *>(values.data()), DType::BF16});
  }
  std::vector<std::vector<float>> floats;
  std::vector<std::vector<uint16_t>> halves;
  std::vector<StatePiece> pieces;
};

TEST(StateSnapshot, IsTheFileThatTheStateMakes) {
  State state;
  test::TemporaryDirectory directory;
  const ShardLayout layout = layoutOf(state.pieces);
  auto expected = writeShard(directory.path, "expected", layout);
  ASSERT_TRUE(expected.ok()) << expected.status().toString();
  StateSnapshot snapshot;
  ASSERT_TRUE(snapshot.reserve(layout.bytes));
  for (int threads : {1, 2, 3, 4, 5, 16}) {
    SCOPED_TRACE(threads);
    snapshot.take(layoutOf(state.pieces), threads);
    auto written = snapshot.write(directory.path, "copied");
    ASSERT_TRUE(written.ok()) << written.status().toString();
    EXPECT_EQ(written->checksum, expected->checksum);
    EXPECT_EQ(written->bytes, expected->bytes);
    EXPECT_TRUE(directory.read("copied") == directory.read("expected"));
    EXPECT_EQ(describeFile(directory.path, "copied")->checksum, written->checksum);
  }
}

TEST(StateSnapshot, KeepsTheStateOfItsMomentAndItsMemory) {
  State state;
  StateSnapshot snapshot;
  const ShardLayout layout = layoutOf(state.pieces);
  ASSERT_TRUE(snapshot.reserve(layout.bytes));
  snapshot.take(layoutOf(state.pieces), 2);
  const std::byte *place = snapshot.pieces().front().data;
  std::vector<std::vector<float>> before = state.floats;
  for (auto &values : state.floats)
    std::fill(values.begin(), values.end(), -1.0f); // the next update
  for (const StatePiece &piece : snapshot.pieces()) {
    EXPECT_EQ(piece.dtype, DType::F32);
    if (piece.parameter == "half")
      continue;
    const std::vector<float> &held = before[static_cast<size_t>(piece.parameter[1] - '0')];
    EXPECT_EQ(std::memcmp(piece.data, held.data(), piece.count * sizeof(float)), 0) << piece.parameter;
  }
  ASSERT_TRUE(snapshot.reserve(layout.bytes / 2));
  snapshot.take(layoutOf(state.pieces), 2);
  EXPECT_EQ(snapshot.pieces().front().data, place);
  EXPECT_EQ(snapshot.bytes(), layout.bytes);
}

TEST(StateSnapshot, FitsWhereTheHostHasMemoryForAllRanks) {
  EXPECT_TRUE(StateSnapshot::fits(1 << 20, 1));
  EXPECT_FALSE(StateSnapshot::fits(uint64_t{1} << 50, 1));
  EXPECT_FALSE(StateSnapshot::fits(1 << 20, 1 << 30)); // a megabyte each
}

} // namespace
} // namespace zp::rt
