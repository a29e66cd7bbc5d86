// Ranks of the local engine as forked processes of a test.
#ifndef ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_FORKED_RANKS_H
#define ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_FORKED_RANKS_H

#include <functional>
#include <gtest/gtest.h>
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

/// The same for bodies that say what went wrong, in words; nothing when all is well.
inline void expectOnRanks(int ranks, const std::function<std::string(Communicator &)> &check) {
  for (int state : runRanks(ranks, [&](Communicator &c) {
         std::string wrong = check(c);
         if (!wrong.empty())
           std::fprintf(stderr, "rank %d: %s\n", c.rank(), wrong.c_str());
         return wrong.empty() ? 0 : 1;
       }))
    EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << state;
}

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_FORKED_RANKS_H
