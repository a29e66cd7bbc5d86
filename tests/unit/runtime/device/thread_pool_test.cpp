#include "runtime/device/cpu/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace zp::rt {
namespace {

class Pool : public testing::TestWithParam<int> {};

TEST_P(Pool, EveryElementIsVisitedOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.threads(), GetParam());
  for (int64_t count : {0, 1, 2, 3, 7, 100, 4097})
    for (int64_t grain : {0, 1, 3, 64, 10000}) {
      std::vector<int> visits(static_cast<size_t>(count));
      pool.run(count, grain, [&](int64_t begin, int64_t end) {
        EXPECT_LT(begin, end);
        for (int64_t i = begin; i < end; ++i)
          ++visits[static_cast<size_t>(i)];
      });
      EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), count) << count << " by " << grain;
    }
}

TEST_P(Pool, PiecesAreNotSmallerThanTheGrain) {
  ThreadPool pool(GetParam());
  std::atomic<int> pieces{0};
  pool.run(100, 40, [&](int64_t, int64_t) { ++pieces; });
  EXPECT_LE(pieces, 3);
}

TEST_P(Pool, ManyShortLoopsInARow) {
  // A piece taken from another loop than its own would count in the wrong sum.
  ThreadPool pool(GetParam());
  for (int loop = 0; loop < 20000; ++loop) {
    std::atomic<int64_t> sum{0};
    pool.run(16, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        sum += i + loop;
    });
    ASSERT_EQ(sum, 120 + 16 * static_cast<int64_t>(loop));
  }
}

TEST_P(Pool, WakesAfterAPause) {
  ThreadPool pool(GetParam());
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::atomic<int64_t> visited{0};
    pool.run(1000, 1, [&](int64_t begin, int64_t end) { visited += end - begin; });
    EXPECT_EQ(visited, 1000);
  }
}

INSTANTIATE_TEST_SUITE_P(ThreadPool, Pool, testing::Values(1, 2, 4, 7));

} // namespace
} // namespace zp::rt
