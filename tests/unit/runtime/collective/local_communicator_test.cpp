#include "runtime/collective/local/local_communicator.h"

#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "runtime/collective/single/single_communicator.h"
#include "tests/unit/runtime/collective/collective_checks.h"
#include "tests/unit/runtime/collective/forked_ranks.h"

namespace zp::rt {
namespace {

using test::Body;
using test::runRanks;

class LocalWorld : public testing::TestWithParam<int> {};

TEST_P(LocalWorld, CollectivesMoveAndSumInRankOrder) {
  EXPECT_TRUE(test::holdsOnRanks(GetParam(), [](Communicator &c) -> std::string {
    const bool knowsItself = std::string(c.engine()) == "local" && c.localSize() == c.size() && c.localRank() == c.rank();
    return knowsItself ? test::checkCollectives(c) : "takes itself for another engine or rank";
  }));
}

TEST_P(LocalWorld, ThousandsOfBarriersInARow) {
  std::vector<int> states = runRanks(GetParam(), [](Communicator &c) {
    for (int i = 0; i < 3000; ++i)
      if (!c.barrier().ok())
        return 1;
    return 0;
  });
  for (int state : states)
    EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
}
INSTANTIATE_TEST_SUITE_P(LocalCommunicator, LocalWorld, testing::Values(1, 2, 3, 4));

TEST(SingleCommunicator, PassesTheSameChecks) { EXPECT_EQ(test::checkCollectives(*createSingleCommunicator()), ""); }

/// Rank 1 goes by `end` in the middle of things; the others must see PeerLost that names it, soon.
void expectOthersLearn(const Body &end) {
  auto start = std::chrono::steady_clock::now();
  std::vector<int> states = runRanks(3, [&](Communicator &c) {
    std::vector<float> data(200000, 1);
    for (int i = 0;; ++i) {
      if (c.rank() == 1 && i == 5)
        return end(c);
      Status status = c.allReduce(data.data(), data.size(), DType::F32);
      if (!status.ok())
        return status.code() == ErrorCode::PeerLost && status.message().find("rank 1 is gone") != std::string::npos ? 42 : 43;
    }
  });
  for (int rank : {0, 2})
    EXPECT_TRUE(WIFEXITED(states[static_cast<size_t>(rank)]) && WEXITSTATUS(states[static_cast<size_t>(rank)]) == 42)
        << states[static_cast<size_t>(rank)];
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 10.0);
}

TEST(LocalCommunicator, AKilledRankIsLostToTheOthers) {
  expectOthersLearn([](Communicator &) { return ::kill(::getpid(), SIGKILL); });
}
TEST(LocalCommunicator, ARankThatEndsIsLostToTheOthers) {
  expectOthersLearn([](Communicator &) { return 0; });
}
TEST(LocalCommunicator, AnAbortReachesTheOthersWhileTheRankLives) {
  expectOthersLearn([](Communicator &c) {
    c.abort();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    return 0;
  });
}

/// Ranks 0 and 2 ask about their peers, without a collective, while rank 1 goes by `end`. They end with 42 when they hear that it is lost.
std::vector<int> statesOfAsking(const Body &end) {
  return runRanks(3, [&](Communicator &c) {
    if (!c.checkPeers().ok() || !c.barrier().ok())
      return 43;
    if (c.rank() == 1)
      return end(c);
    for (int i = 0; i < 100; ++i) {                     // two seconds
      if (Status status = c.checkPeers(); !status.ok()) // of rank 1, or of who heard of it first and has ended
        return status.code() == ErrorCode::PeerLost && status.message().find(" is gone") != std::string::npos ? 42 : 43;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return 0;
  });
}
void expectAskedRanksEndWith(const std::vector<int> &states, int code) {
  for (int rank : {0, 2})
    EXPECT_TRUE(WIFEXITED(states[static_cast<size_t>(rank)]) && WEXITSTATUS(states[static_cast<size_t>(rank)]) == code)
        << states[static_cast<size_t>(rank)];
}

TEST(LocalCommunicator, WhoAsksHearsOfAKilledRankAndOfOneThatFailed) {
  expectAskedRanksEndWith(statesOfAsking([](Communicator &) { return ::kill(::getpid(), SIGKILL); }), 42);
  expectAskedRanksEndWith(statesOfAsking([](Communicator &c) {
                            c.abort();
                            std::this_thread::sleep_for(std::chrono::seconds(1));
                            return 0;
                          }),
                          42);
}
TEST(LocalCommunicator, ARankThatEndedInOrderIsNoneThatIsLost) {
  // Its communicator's end is the farewell; `runRanks` leaves it out, as a rank that is killed does.
  auto segment = Segment::createAnonymous(2);
  ASSERT_TRUE(segment.ok());
  pid_t pid = ::fork();
  if (pid == 0) {
    auto communicator = createLocalCommunicator(std::move(*segment), 1, false, 30);
    const bool good = communicator.ok();
    if (good)
      communicator.value().reset();
    ::_exit(good ? 0 : 1);
  }
  auto communicator = createLocalCommunicator(std::move(*segment), 0, false, 30);
  ASSERT_TRUE(communicator.ok());
  int state = 0;
  ::waitpid(pid, &state, 0);
  EXPECT_EQ(state, 0);
  EXPECT_TRUE((*communicator)->checkPeers().ok());
}

TEST(LocalCommunicator, ARankThatNeverComesIsAnError) {
  auto segment = Segment::createAnonymous(2);
  ASSERT_TRUE(segment.ok());
  Status status = createLocalCommunicator(std::move(*segment), 0, false, 0.3).status();
  EXPECT_EQ(status.code(), ErrorCode::Network);
  EXPECT_NE(status.message().find("rank 1 did not come"), std::string::npos);
}

TEST(LocalCommunicator, ARankIsTakenOnce) {
  auto segment = Segment::createAnonymous(1);
  ASSERT_TRUE(segment.ok() && segment->join(0).ok());
  pid_t pid = ::fork();
  if (pid == 0)
    ::_exit(segment->join(0).code() == ErrorCode::Network ? 0 : 1);
  int state = 0;
  ::waitpid(pid, &state, 0);
  EXPECT_EQ(state, 0);
}

} // namespace
} // namespace zp::rt
