#include "runtime/trainer/side_job.h"

#include <csignal>
#include <new>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace zp::rt {

/// Of 19. Where cores are short the updates come first and this thread takes the time that they leave, and a thirtieth of a
/// core: less, and a checkpoint of full training would not be done before the next.
constexpr int kNiceness = 15;

static void yieldToOthers() {
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none); // it interrupts nobody when its disk answers
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness);
}

static Status carryOut(const std::function<Status()> &work) {
  try {
    return work();
  } catch (const std::bad_alloc &) { // on its own thread nobody would catch it
    return Status(ErrorCode::HostMemory, "checkpoint: there is no memory to write it, expected a few megabytes; free some");
  }
}

SideJob::~SideJob() {
  if (thread.joinable())
    thread.join();
}

void SideJob::start(std::function<Status()> work, bool beside) {
  started = true;
  done = false;
  answer = {};
  if (beside) {
    // Signals are for the thread that watches for them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread = std::thread([this, work] {
        yieldToOthers();
        answer = carryOut(work);
        done.store(true, std::memory_order_release);
      });
    } catch (const std::system_error &) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (thread.joinable())
      return;
  }
  answer = carryOut(work);
  done = true;
}

Status SideJob::wait() {
  if (thread.joinable())
    thread.join();
  started = false;
  return std::exchange(answer, {});
}

} // namespace zp::rt
