// One piece of work beside the calling thread, with an answer.
#ifndef ZP_RUNTIME_TRAINER_SIDE_JOB_H
#define ZP_RUNTIME_TRAINER_SIDE_JOB_H

#include <atomic>
#include <functional>
#include <thread>

#include "runtime/base/status.h"

namespace zp::rt {

/// Contract: one at a time; `start` after the last one's `wait`. Destruction waits.
class SideJob {
public:
  SideJob() = default;
  ~SideJob();
  SideJob(const SideJob &) = delete;
  SideJob &operator=(const SideJob &) = delete;

  /// `beside`: on a thread of its own, at a lower priority; else, or when there is no thread to be
  /// had, at once.
  void start(std::function<Status()> work, bool beside);
  bool running() const { return started && !done.load(std::memory_order_acquire); }
  /// It has ended well.
  bool succeeded() const { return !running() && answer.ok(); }
  /// The work's answer, once it has ended; OK when there was none.
  Status wait();

private:
  std::thread thread;
  std::atomic<bool> done{false};
  bool started = false;
  Status answer;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_SIDE_JOB_H
