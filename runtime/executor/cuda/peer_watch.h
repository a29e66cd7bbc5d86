// Looks after the peers of a thread that may be stuck in a call of the driver: in a launch, when a stream's queue is full behind a
// collective that waits for a peer; in a first collective, which makes its connections; in NCCL's own meeting. A thread that waits in
// awaitStream looks by itself, and is left to find out.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_PEER_WATCH_H
#define ZP_RUNTIME_EXECUTOR_CUDA_PEER_WATCH_H

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "runtime/base/status.h"

namespace zp::rt {

class PeerWatch {
public:
  /// Both are called by the watch's own thread. `look`, ten times a second while somebody is inside: an error when a peer is lost, or a
  /// collective has failed. `stuck` hears of it, once, when the thread inside hasn't come out seconds later.
  PeerWatch(std::function<Status()> look, std::function<void(const Status &)> stuck);
  ~PeerWatch();
  PeerWatch(const PeerWatch &) = delete;
  PeerWatch &operator=(const PeerWatch &) = delete;

  /// While it lives, the thread that made it is where it may be stuck. `watch` may be null.
  class Inside {
  public:
    explicit Inside(PeerWatch *watch) : watch(watch) { set(true); }
    ~Inside() { set(false); }
    Inside(const Inside &) = delete;
    Inside &operator=(const Inside &) = delete;

  private:
    void set(bool inside);
    PeerWatch *watch;
  };

private:
  void watchPeers();

  std::function<Status()> look;
  std::function<void(const Status &)> stuck;
  std::mutex mutex;
  std::condition_variable changed;
  bool inside = false, over = false;
  std::thread thread;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_PEER_WATCH_H
