#include "runtime/trainer/stop_request.h"

#include <csignal>
#include <initializer_list>

namespace zp::rt {

static volatile std::sig_atomic_t requested = 0;

static void note(int signal) { requested = signal; }

void watchStopSignals() {
  for (int signal : {SIGINT, SIGTERM}) {
    struct sigaction action {}; // also where it was ignored, as a script has it for what runs in its background: who sends one means it
    action.sa_handler = note;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(signal, &action, nullptr);
  }
}

int stopRequested() { return requested; }

} // namespace zp::rt
