// Ranks of the local engine as forked processes of a test.
#ifndef ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_FORKED_RANKS_H
#define ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_FORKED_RANKS_H

#include <cstdio>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "runtime/collective/local/local_communicator.h"

namespace zp::rt::test {

using Body = std::function<int(Communicator &)>;

/// Runs a body on forked ranks; the wait states in rank order.
inline std::vector<int> runRanks(int ranks, const Body &body) {
  auto segment = Segment::createAnonymous(ranks);
  EXPECT_TRUE(segment.ok());
  std::vector<pid_t> pids;
  for (int rank = 0; rank < ranks; ++rank) {
    pid_t pid = ::fork();
    if (pid == 0) {
      ::alarm(60); // a hang is a failure, not a hang of the suite
      auto communicator = createLocalCommunicator(std::move(*segment), rank, false, 30);
      ::_exit(communicator.ok() ? body(**communicator) : 99);
    }
    pids.push_back(pid);
  }
  std::vector<int> states;
  for (pid_t pid : pids) {
    int state = 0;
    ::waitpid(pid, &state, 0);
    states.push_back(state);
  }
  return states;
}

/// Whether a check finds nothing wrong on any rank. It says what is, in words, which then stand on standard error.
inline testing::AssertionResult holdsOnRanks(int ranks, const std::function<std::string(Communicator &)> &check) {
  const std::vector<int> states = runRanks(ranks, [&](Communicator &c) {
    const std::string wrong = check(c);
    if (!wrong.empty())
      std::fprintf(stderr, "rank %d: %s\n", c.rank(), wrong.c_str());
    return wrong.empty() ? 0 : 1;
  });
  for (size_t rank = 0; rank < states.size(); ++rank)
    if (!WIFEXITED(states[rank]) || WEXITSTATUS(states[rank]) != 0)
      return testing::AssertionFailure() << "rank " << rank << " ended with " << states[rank];
  return testing::AssertionSuccess();
}

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_FORKED_RANKS_H
