#include "runtime/trainer/stop_request.h"

#include <csignal>
#include <initializer_list>

namespace zp::rt {

static volatile std::sig_atomic_t requested = 0;

static void note(int signal) { requested = signal; }

void watchStopSignals() {
  for (int signal : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) // nohup's, or a script's of what it runs in the background
      continue;
    action = {};
    action.sa_handler = note;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(signal, &action, nullptr);
  }
}

int stopRequested() { return requested; }

} // namespace zp::rt
