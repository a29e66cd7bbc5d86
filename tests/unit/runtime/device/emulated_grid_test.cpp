// What the emulation of a block must see: threads that need a barrier and have none, and warps that don't shuffle whole.
#include <vector>

#include <gtest/gtest.h>

#include "runtime/device/cuda/emulated/grid.h"
#include "runtime/device/cuda/emulated/order.h"

namespace zp::rt::cuda::emulated {
namespace {

constexpr unsigned kThreads = 3 * kWarpThreads;

/// Every thread's value after it went through a place that the block shares, from one of another warp or of its own.
std::vector<int> passOn(bool barrier, unsigned distance, const char *wanted) {
  order().use(wanted);
  std::vector<int> received(kThreads);
  int shared[kThreads] = {};
  runGrid(1, kThreads, [&] {
    shared[threadIdx.x] = static_cast<int>(threadIdx.x) + 1;
    if (barrier)
      __syncthreads();
    received[threadIdx.x] = shared[(threadIdx.x + distance) % kThreads];
  });
  order().use("1");
  return received;
}

std::vector<int> expected(unsigned distance) {
  std::vector<int> values;
  for (unsigned i = 0; i < kThreads; ++i)
    values.push_back(static_cast<int>((i + distance) % kThreads) + 1);
  return values;
}

TEST(EmulatedGrid, BarriersOrderThreads) {
  for (unsigned distance : {1u, kWarpThreads})
    for (const char *wanted : {"lowest", "highest", "1", "2", "3"})
      EXPECT_EQ(passOn(true, distance, wanted), expected(distance)) << wanted;
}
TEST(EmulatedGrid, WhatHasNoBarrierComesOutWrong) {
  for (unsigned distance : {1u, kWarpThreads})
    for (const char *wanted : {"lowest", "highest", "1", "2", "3"})
      EXPECT_NE(passOn(false, distance, wanted), expected(distance)) << wanted;
}

TEST(EmulatedGrid, AWarpShufflesAlone) {
  std::vector<unsigned> sums(kThreads);
  runGrid(1, kThreads, [&] {
    if (threadIdx.x >= kWarpThreads && threadIdx.x < 2 * kWarpThreads)
      for (int mask = 16; mask > 0; mask /= 2)
        sums[threadIdx.x] += __shfl_xor_sync(0xffffffffu, threadIdx.x, mask);
    __syncthreads();
  });
  for (unsigned i = 0; i < kThreads; ++i)
    EXPECT_EQ(sums[i], i / kWarpThreads == 1 ? (i ^ 16) + (i ^ 8) + (i ^ 4) + (i ^ 2) + (i ^ 1) : 0) << i;
}
TEST(EmulatedGridDeathTest, HalfAWarpMustNotShuffle) {
  auto half = [] {
    runGrid(1, kThreads, [] {
      if (threadIdx.x % 2 == 0)
        __shfl_xor_sync(0xffffffffu, 1, 16);
      __syncthreads();
    });
  };
  EXPECT_DEATH(half(), "16 of 32 threads of a warp shuffle, expected all of them");
}

TEST(EmulatedGrid, ThreadsMayEndBeforeOthersMeet) {
  unsigned after = 0;
  runGrid(2, kThreads, [&] {
    if (threadIdx.x >= 2 * kWarpThreads)
      return;
    __syncthreads();
    ++after;
  });
  EXPECT_EQ(after, 2 * 2 * kWarpThreads);
}

} // namespace
} // namespace zp::rt::cuda::emulated
