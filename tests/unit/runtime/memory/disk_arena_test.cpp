#include "runtime/memory/disk_arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <numeric>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "runtime/memory/disk_queue.h"

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

TEST_F(DiskArenaTest, ManyThreadsMoveManyPiecesAtATime) {
  constexpr int kThreads = 4;
  constexpr uint64_t kBytes = (5 << 20) + 300, kRoom = 6 << 20; // ten pieces and a rest, deeper than a queue
  StatusOr<DiskArena> arena = DiskArena::create(directory, kThreads * kRoom);
  ASSERT_TRUE(arena.ok());
  std::vector<std::thread> threads;
  std::array<bool, kThreads> same{};
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 4; ++round) {
        // From memory that lies askew, and from memory that needs no detour.
        std::vector<uint8_t> data = counted(kBytes + kDiskBlock, static_cast<uint8_t>(t * 16 + round)), back(kBytes + kDiskBlock);
        uint64_t shift = round % 2 ? 1 : kDiskBlock - reinterpret_cast<uintptr_t>(back.data()) % kDiskBlock;
        bool moved = arena->write(t * kRoom, data.data(), kBytes).ok() && arena->read(t * kRoom, back.data() + shift, kBytes).ok();
        same[static_cast<size_t>(t)] = moved && std::equal(back.begin() + static_cast<std::ptrdiff_t>(shift),
                                                           back.begin() + static_cast<std::ptrdiff_t>(shift + kBytes), data.begin());
        if (!same[static_cast<size_t>(t)])
          return;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  for (bool each : same)
    EXPECT_TRUE(each);
}

TEST_F(DiskArenaTest, MemoryThatPosesAsADiskIsNoticed) {
  if (!std::filesystem::is_directory("/dev/shm"))
    GTEST_SKIP() << "no /dev/shm here";
  StatusOr<DiskArena> arena = DiskArena::create("/dev/shm", 1 << 20);
  ASSERT_TRUE(arena.ok()) << arena.status().toString();
  EXPECT_FALSE(arena->direct());
  EXPECT_NE(arena->notice().find("/dev/shm: takes no direct transfers"), std::string::npos);
  std::vector<uint8_t> data = counted(70000, 3), back(70000);
  ASSERT_TRUE(arena->write(0, data.data(), data.size()).ok());
  ASSERT_TRUE(arena->read(0, back.data(), back.size()).ok());
  EXPECT_EQ(data, back);
}

/// Both queues, where the kernel has both.
TEST_F(DiskArenaTest, QueuesMoveBytesAndSayWhatFailed) {
  for (auto *create : {createSerialQueue, createRingQueue}) {
    std::unique_ptr<DiskQueue> queue = create();
    if (!queue)
      continue; // a sandbox
    std::string path = directory + "/file";
    int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600), closed = 1 << 20;
    std::vector<uint8_t> data = counted(DiskQueue::kDepth * 100, 9), back(data.size());
    auto all = [&](bool writing, std::vector<uint8_t> &memory, int from) {
      for (uint32_t i = 0; i < DiskQueue::kDepth; ++i)
        queue->start(i, {writing, from, memory.data() + i * 100, 100, i * 100});
      std::vector<int64_t> results(DiskQueue::kDepth, 0);
      for (uint32_t i = 0; i < DiskQueue::kDepth; ++i) {
        DiskCompletion completion = queue->next();
        results.at(completion.tag) = completion.result;
      }
      return results;
    };
    for (int round = 0; round < 3; ++round) { // the ring wraps
      EXPECT_EQ(all(true, data, file), std::vector<int64_t>(DiskQueue::kDepth, 100)) << queue->name();
      EXPECT_EQ(all(false, back, file), std::vector<int64_t>(DiskQueue::kDepth, 100)) << queue->name();
      EXPECT_EQ(data, back) << queue->name();
      EXPECT_EQ(all(false, back, closed), std::vector<int64_t>(DiskQueue::kDepth, -EBADF)) << queue->name();
    }
    ::close(file);
  }
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
