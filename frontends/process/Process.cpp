#include "frontends/process/Process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <sys/wait.h>
#include <unistd.h>

namespace zp::fe {

namespace {

volatile sig_atomic_t runningTool = 0, stopSignal = 0;

/// Ctrl-C reaches the whole process group; a signal sent to zp alone must be forwarded.
void passOn(int signal) {
  stopSignal = signal;
  if (runningTool > 0)
    ::kill(static_cast<pid_t>(runningTool), signal);
}

constexpr int kStopSignals[] = {SIGTERM, SIGINT};

/// Forwards stop signals while it lives, also those that were ignored, as a script has it for what runs in its background.
class PassSignalsOn {
public:
  PassSignalsOn() {
    stopSignal = 0;
    for (size_t i = 0; i < std::size(kStopSignals); ++i) {
      struct sigaction action {};
      action.sa_handler = passOn;
      ::sigaction(kStopSignals[i], &action, &old[i]);
    }
  }
  ~PassSignalsOn() {
    runningTool = 0;
    for (size_t i = 0; i < std::size(kStopSignals); ++i)
      ::sigaction(kStopSignals[i], &old[i], nullptr);
  }

private:
  struct sigaction old[std::size(kStopSignals)] = {};
};

/// Holds stop signals back, so that none comes between a tool's start and our knowing it.
class HoldSignals {
public:
  HoldSignals() {
    sigset_t held;
    ::sigemptyset(&held);
    for (int signal : kStopSignals)
      ::sigaddset(&held, signal);
    ::sigprocmask(SIG_BLOCK, &held, &before);
  }
  ~HoldSignals() { ::sigprocmask(SIG_SETMASK, &before, nullptr); }

private:
  sigset_t before;
};

/// In the child: never returns. The reason of a failure goes through the pipe.
[[noreturn]] void become(const Step &step, std::vector<char *> &words, int input, int output, int reason) {
  for (const auto &[name, value] : step.environment)
    ::setenv(name.c_str(), value.c_str(), 1);
  if ((input < 0 || ::dup2(input, STDIN_FILENO) >= 0) && (output < 0 || ::dup2(output, STDOUT_FILENO) >= 0))
    ::execv(words[0], words.data());
  int error = errno;
  (void)!::write(reason, &error, sizeof error);
  ::_exit(127);
}

StatusOr<int> waitFor(pid_t child) {
  int state = 0;
  siginfo_t ended;
  while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR)
    ;
  if (runningTool == child) // before its number may be another's
    runningTool = 0;
  while (::waitpid(child, &state, 0) < 0)
    if (errno != EINTR)
      return Status(ErrorCode::Internal, std::string("a tool: cannot be waited for (") + std::strerror(errno) + "), expected a child; report this");
  return WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
}

/// Signals go to the tool that was started last.
StatusOr<pid_t> start(const Step &step, int input, int output) {
  std::vector<char *> words;
  for (const std::string &word : step.words)
    words.push_back(const_cast<char *>(word.c_str()));
  words.push_back(nullptr);
  auto failure = [&](int error) {
    return Status(ErrorCode::FileMissing,
                  step.words[0] + ": cannot be started (" + std::strerror(error) + "), expected a program beside zp; build it");
  };
  int reason[2];
  if (::pipe2(reason, O_CLOEXEC) != 0)
    return failure(errno);
  pid_t child = -1;
  int forkError = 0;
  {
    HoldSignals held;
    child = ::fork();
    if (child != 0) {
      forkError = errno;
      runningTool = child > 0 ? static_cast<sig_atomic_t>(child) : 0;
    }
  }
  if (child == 0)
    become(step, words, input, output, reason[1]);
  ::close(reason[1]);
  int error = 0;
  ssize_t n = 0;
  while (child > 0 && (n = ::read(reason[0], &error, sizeof error)) < 0 && errno == EINTR)
    ;
  ::close(reason[0]);
  if (child < 0)
    return failure(forkError);
  if (n != static_cast<ssize_t>(sizeof error))
    return child;
  ZP_RETURN_IF_ERROR(waitFor(child).status());
  return failure(error);
}

} // namespace

/// A signal that came when the tool was as good as done: what follows isn't wanted.
static int unlessStopped(int code) { return code == 0 && stopSignal ? 128 + stopSignal : code; }

StatusOr<int> runTool(const Step &step, int output) {
  PassSignalsOn signals;
  ZP_ASSIGN_OR_RETURN(pid_t child, start(step, -1, output));
  ZP_ASSIGN_OR_RETURN(int code, waitFor(child));
  return unlessStopped(code);
}

StatusOr<int> runPiped(const Step &writing, const Step &reading) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Status(ErrorCode::Internal, std::string("a pipe: cannot be made (") + std::strerror(errno) + "), expected one; close other programs");
  PassSignalsOn signals;
  StatusOr<pid_t> reader = start(reading, ends[0], -1);
  ::close(ends[0]);
  StatusOr<pid_t> writer = reader.ok() ? start(writing, -1, ends[1]) : reader;
  ::close(ends[1]); // the reader sees the end when the writer has ended
  StatusOr<int> wrote = writer.ok() ? waitFor(*writer) : StatusOr<int>(writer.status());
  if (!reader.ok())
    return reader.status();
  runningTool = static_cast<sig_atomic_t>(*reader);
  ZP_ASSIGN_OR_RETURN(int ended, waitFor(*reader));
  if (wrote.ok() && ended == 0)
    return unlessStopped(*wrote);
  if (!wrote.ok())
    return wrote;
  return ended; // what became of the writer then is a consequence
}

} // namespace zp::fe
