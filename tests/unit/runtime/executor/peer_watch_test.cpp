// The watch on peers of a thread that may be stuck: it tells only of one that is.
#include "runtime/executor/cuda/peer_watch.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

namespace zp::rt {
namespace {

using namespace std::chrono_literals;

class PeerWatchTest : public ::testing::Test {
protected:
  bool comesWithin(std::chrono::milliseconds most, const std::atomic<int> &count) const {
    const auto until = std::chrono::steady_clock::now() + most;
    while (count == 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(5ms);
    return count > 0;
  }

  std::atomic<bool> lost = false;
  std::atomic<int> looked = 0, told = 0;
  PeerWatch watch{[this] {
                    ++looked;
                    return lost ? Status(ErrorCode::PeerLost, "rank 0: rank 1 is gone") : Status();
                  },
                  [this](const Status &status) { told += status.code() == ErrorCode::PeerLost ? 1 : 100; }};
};

TEST_F(PeerWatchTest, NobodyInsideIsNotLookedAfter) {
  lost = true;
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(looked, 0);
}

TEST_F(PeerWatchTest, AThreadThatIsStuckIsToldOfWithinSeconds) {
  const PeerWatch::Inside inside(&watch);
  EXPECT_TRUE(comesWithin(1s, looked));
  lost = true;
  EXPECT_TRUE(comesWithin(5s, told));
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(told, 1); // once
}

TEST_F(PeerWatchTest, OneThatComesOutByItselfIsNot) {
  {
    const PeerWatch::Inside inside(&watch);
    lost = true;
    EXPECT_TRUE(comesWithin(1s, looked));
  }
  std::this_thread::sleep_for(2500ms);
  EXPECT_EQ(told, 0);
}

TEST(PeerWatchInside, NoWatchIsNone) { const PeerWatch::Inside inside(nullptr); }

} // namespace
} // namespace zp::rt
