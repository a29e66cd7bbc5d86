#include "runtime/bootstrap/local_launch.h"

#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace zp::rt {
namespace {

double secondsOf(const std::function<void()> &work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(LocalLaunch, OneRankRunsHere) {
  pid_t here = ::getpid();
  EXPECT_EQ(launchLocal(1, [&](std::unique_ptr<Communicator> c) { return c->size() == 1 && ::getpid() == here ? 0 : 1; }), 0);
}

TEST(LocalLaunch, EveryRankIsThereOnce) {
  EXPECT_EQ(launchLocal(4,
                        [](std::unique_ptr<Communicator> c) {
                          double bit = 1 << c->rank();
                          return c->allReduce(&bit, 1, DType::F64).ok() && bit == 15 ? 0 : 1;
                        }),
            0);
}

TEST(LocalLaunch, TheFirstFailuresCodeIsReturnedNotItsEcho) {
  for (int failing : {0, 1, 2})
    EXPECT_EQ(launchLocal(3,
                          [&](std::unique_ptr<Communicator> c) {
                            if (c->rank() == failing)
                              return 5;
                            while (c->barrier().ok()) {
                            }
                            return exitCodeOf(ErrorCode::PeerLost);
                          }),
              5);
}

TEST(LocalLaunch, AKilledRankIsPeerLostForAllSoon) {
  int code = 0;
  double seconds = secondsOf([&] {
    code = launchLocal(3, [&](std::unique_ptr<Communicator> c) {
      if (c->rank() == 2)
        ::kill(::getpid(), SIGKILL);
      while (c->barrier().ok()) {
      }
      return exitCodeOf(ErrorCode::PeerLost);
    });
  });
  EXPECT_EQ(code, 6);
  EXPECT_LT(seconds, 5);
}

TEST(LocalLaunch, WhoeverDoesNotNoticeIsEnded) {
  int code = 0;
  double seconds = secondsOf([&] {
    code = launchLocal(2, [&](std::unique_ptr<Communicator> c) {
      if (c->rank() == 1)
        return 7;
      ::signal(SIGTERM, SIG_IGN);
      std::this_thread::sleep_for(std::chrono::seconds(60));
      return 0;
    });
  });
  EXPECT_EQ(code, 7);
  EXPECT_LT(seconds, 10);
}

volatile sig_atomic_t terminated = 0;

TEST(LocalLaunch, SignalsArePassedOn) {
  pid_t launcher = ::fork();
  if (launcher == 0) {
    ::alarm(60);
    ::_exit(launchLocal(2, [](std::unique_ptr<Communicator> c) {
      ::signal(SIGTERM, [](int) { terminated = 1; });
      if (!c->barrier().ok())
        return 1;
      if (c->rank() == 0)
        ::kill(::getppid(), SIGTERM);
      for (int i = 0; i < 1000 && !terminated; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return terminated ? 75 : 1;
    }));
  }
  int state = 0;
  ::waitpid(launcher, &state, 0);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 75) << state;
}

TEST(LocalLaunch, RanksEndWithTheirLauncher) {
  // A pipe that all ranks hold open: its end is seen when the last of them is gone.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t launcher = ::fork();
  if (launcher == 0) {
    ::close(ends[0]);
    ::_exit(launchLocal(2, [&](std::unique_ptr<Communicator> c) {
      if (c->barrier().ok())
        (void)!::write(ends[1], "x", 1);
      std::this_thread::sleep_for(std::chrono::seconds(60));
      return 0;
    }));
  }
  ::close(ends[1]);
  char byte;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  ::kill(launcher, SIGKILL);
  double seconds = secondsOf([&] { EXPECT_EQ(::read(ends[0], &byte, 1), 0); });
  EXPECT_LT(seconds, 5);
  ::waitpid(launcher, nullptr, 0);
  ::close(ends[0]);
}

TEST(LocalLaunch, TooManyRanksIsAUsageError) {
  auto body = [](std::unique_ptr<Communicator>) { return 0; };
  EXPECT_EQ(launchLocal(0, body), 2);
  EXPECT_EQ(launchLocal(100000, body), 2);
}

} // namespace
} // namespace zp::rt
