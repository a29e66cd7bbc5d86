#include "runtime/memory/disk_arena.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace zp::rt {
namespace {

std::vector<uint8_t> counted(size_t bytes, uint8_t first) {
  std::vector<uint8_t> out(bytes);
  std::iota(out.begin(), out.end(), first);
  return out;
}

class DiskArenaTest : public testing::Test {
protected:
  std::string directory = testing::TempDir() + "disk_arena_" + std::to_string(::getpid());
  void SetUp() override { std::filesystem::create_directories(directory); }
  void TearDown() override { std::filesystem::remove_all(directory); }
};

TEST_F(DiskArenaTest, GivesBackWhatWasWritten) {
  StatusOr<DiskArena> arena = DiskArena::create(directory, 4 << 20);
  ASSERT_TRUE(arena.ok()) << arena.status().toString();
  // Lengths around the block and the chunk, at places where blocks begin and where they don't.
  uint64_t at = 0;
  for (uint64_t bytes : {1ull, 4095ull, 4096ull, 4097ull, (1ull << 20) - 1, (1ull << 20) + 300}) {
    std::vector<uint8_t> data = counted(bytes, static_cast<uint8_t>(bytes)), back(bytes);
    ASSERT_TRUE(arena->write(at, data.data(), bytes).ok());
    ASSERT_TRUE(arena->read(at, back.data(), bytes).ok());
    EXPECT_EQ(data, back) << bytes << " bytes at " << at;
    at += (bytes + kDiskBlock - 1) / kDiskBlock * kDiskBlock;
  }
  std::vector<uint8_t> data = counted(1000, 7), back(1000);
  ASSERT_TRUE(arena->write(100, data.data(), 1000).ok());
  ASSERT_TRUE(arena->read(100, back.data(), 1000).ok());
  EXPECT_EQ(data, back);
}

TEST_F(DiskArenaTest, NeighboursAreLeftAlone) {
  StatusOr<DiskArena> arena = DiskArena::create(directory, 3 * kDiskBlock);
  ASSERT_TRUE(arena.ok());
  std::vector<uint8_t> left = counted(kDiskBlock, 1), middle = counted(100, 2), right = counted(kDiskBlock, 3), back(kDiskBlock);
  ASSERT_TRUE(arena->write(0, left.data(), left.size()).ok());
  ASSERT_TRUE(arena->write(2 * kDiskBlock, right.data(), right.size()).ok());
  ASSERT_TRUE(arena->write(kDiskBlock, middle.data(), middle.size()).ok());
  ASSERT_TRUE(arena->read(0, back.data(), back.size()).ok());
  EXPECT_EQ(left, back);
  ASSERT_TRUE(arena->read(2 * kDiskBlock, back.data(), back.size()).ok());
  EXPECT_EQ(right, back);
}

TEST_F(DiskArenaTest, LeavesNothingBehind) {
  StatusOr<DiskArena> arena = DiskArena::create(directory, 1 << 20);
  ASSERT_TRUE(arena.ok());
  EXPECT_TRUE(std::filesystem::is_empty(directory));
}

TEST_F(DiskArenaTest, RefusesWhatCannotBeKnownTooSoon) {
  EXPECT_EQ(DiskArena::create("", 1).status().code(), ErrorCode::Config);
  EXPECT_EQ(DiskArena::create(directory + "/absent", 1).status().code(), ErrorCode::DiskWrite);
  // More than any disk has.
  StatusOr<DiskArena> huge = DiskArena::create(directory, uint64_t{1} << 60);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(exitCodeOf(huge.status().code()), 7);
  EXPECT_NE(huge.status().toString().find("--nvme_path"), std::string::npos);
}

TEST_F(DiskArenaTest, ReadingPastTheEndIsAnError) {
  StatusOr<DiskArena> arena = DiskArena::create(directory, kDiskBlock);
  ASSERT_TRUE(arena.ok());
  std::vector<uint8_t> back(2 * kDiskBlock);
  EXPECT_EQ(arena->read(0, back.data(), back.size()).code(), ErrorCode::DiskWrite);
}

} // namespace
} // namespace zp::rt
