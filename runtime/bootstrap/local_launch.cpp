#include "runtime/bootstrap/local_launch.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "runtime/collective/local/local_communicator.h"
#include "runtime/collective/single/single_communicator.h"

namespace zp::rt {
namespace {

constexpr double kJoinSeconds = 60;
constexpr double kTermAfter = 3, kKillAfter = 6; // seconds after the first failure
constexpr int kForwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

void print(const Status &status) { std::fprintf(stderr, "%s\n", status.toString().c_str()); }

/// The signals that the launcher waits for instead of being interrupted by them.
sigset_t watchedSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (int signal : kForwarded)
    sigaddset(&set, signal);
  return set;
}

[[noreturn]] void runRank(Segment segment, int rank, pid_t parent, const sigset_t &mask, const RankBody &body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  int code = exitCodeOf(ErrorCode::PeerLost);
  if (::getppid() == parent) { // else it has ended before we asked to be told
    auto communicator = createLocalCommunicator(std::move(segment), rank, false, kJoinSeconds);
    if (communicator.ok()) {
      code = body(std::move(communicator).value());
    } else {
      print(communicator.status());
      code = exitCodeOf(communicator.status().code());
    }
  }
  std::fflush(nullptr);
  ::_exit(code); // what the parent was doing at the fork is not this process's to finish
}

class Ranks {
public:
  explicit Ranks(Segment &segment) : segment(segment), pids(static_cast<size_t>(segment.ranks()), 0) {}

  bool start(const sigset_t &mask, const RankBody &body) {
    pid_t parent = ::getpid();
    for (int rank = 0; rank < segment.ranks(); ++rank) {
      pid_t pid = ::fork();
      if (pid == 0)
        runRank(std::move(segment), rank, parent, mask, body);
      if (pid < 0) {
        print(Status(ErrorCode::HostMemory, std::string("zprun: rank ") + std::to_string(rank) + " cannot be started (" + std::strerror(errno) +
                                                "), expected room for its process; use a smaller -n"));
        return false;
      }
      pids[static_cast<size_t>(rank)] = pid;
      ++alive;
    }
    return true;
  }

  int wait(const sigset_t &watched) {
    while (alive > 0) {
      timespec moment{0, 200'000'000};
      siginfo_t info{};
      int signal = ::sigtimedwait(&watched, &info, &moment);
      // A terminal sends its signals to the whole group by itself; only what a process sent is passed on.
      if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
        sendAll(signal);
      reap();
      if (failedAt)
        hurry();
    }
    return ownFailure ? *ownFailure : peerFailure ? *peerFailure : 0;
  }

  void fail(int rank) {
    segment.markFailed(rank);
    if (!failedAt)
      failedAt = std::chrono::steady_clock::now();
  }

private:
  void sendAll(int signal) {
    for (pid_t pid : pids)
      if (pid > 0)
        ::kill(pid, signal);
  }

  void reap() {
    for (size_t rank = 0; rank < pids.size(); ++rank) {
      int state = 0;
      if (pids[rank] <= 0 || ::waitpid(pids[rank], &state, WNOHANG) != pids[rank])
        continue;
      pids[rank] = 0;
      --alive;
      int code = WIFEXITED(state) ? WEXITSTATUS(state) : exitCodeOf(ErrorCode::PeerLost);
      bool killed = WIFSIGNALED(state) && !hurried;
      if (killed)
        print(Status(ErrorCode::PeerLost, "zprun: rank " + std::to_string(rank) + " was ended by signal " + std::to_string(WTERMSIG(state)) + " (" +
                                              ::strsignal(WTERMSIG(state)) +
                                              "), expected it to end by itself; look for an out-of-memory kill, or start the job again"));
      if (code == 0)
        continue;
      bool echo = WIFEXITED(state) && code == exitCodeOf(ErrorCode::PeerLost);
      std::optional<int> &first = echo || WIFSIGNALED(state) ? peerFailure : ownFailure;
      if (!first)
        first = code;
      fail(static_cast<int>(rank));
    }
  }

  void hurry() {
    double since = std::chrono::duration<double>(std::chrono::steady_clock::now() - *failedAt).count();
    if (since > kTermAfter && !hurried) {
      hurried = true;
      sendAll(SIGTERM);
    } else if (since > kKillAfter) {
      sendAll(SIGKILL);
    }
  }

  Segment &segment;
  std::vector<pid_t> pids; // 0: ended
  int alive = 0;
  bool hurried = false;
  std::optional<int> ownFailure, peerFailure;
  std::optional<std::chrono::steady_clock::time_point> failedAt;
};

} // namespace

int launchLocal(int ranks, const RankBody &body) {
  if (ranks == 1)
    return body(createSingleCommunicator());
  if (ranks < 1 || ranks > Segment::kMostRanks) {
    print(Status(ErrorCode::Usage, "zprun: -n is " + std::to_string(ranks) + ", expected 1 to " + std::to_string(Segment::kMostRanks) +
                                       "; across hosts start zprun with mpirun"));
    return exitCodeOf(ErrorCode::Usage);
  }
  auto segment = Segment::createAnonymous(ranks);
  if (!segment.ok()) {
    print(segment.status());
    return exitCodeOf(segment.status().code());
  }
  std::fflush(nullptr); // or every rank would write it again
  sigset_t watched = watchedSignals(), before;
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  Ranks group(*segment);
  bool started = group.start(before, body);
  if (!started)
    group.fail(0);
  int code = group.wait(watched);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return started ? code : exitCodeOf(ErrorCode::HostMemory);
}

} // namespace zp::rt
