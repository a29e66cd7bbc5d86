#include "runtime/executor/cuda/peer_watch.h"

#include <chrono>
#include <csignal>
#include <system_error>
#include <utility>

namespace zp::rt {

using namespace std::chrono_literals;

constexpr auto kLookEvery = 100ms;
constexpr auto kComesOutWithin = 2s;

PeerWatch::PeerWatch(std::function<Status()> look, std::function<void(const Status &)> stuck) : look(std::move(look)), stuck(std::move(stuck)) {
  // Signals are for the thread that watches for them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread = std::thread([this] { watchPeers(); });
  } catch (const std::system_error &) { // no thread to be had: a host that is stuck is left to the launcher
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PeerWatch::~PeerWatch() {
  {
    const std::lock_guard lock(mutex);
    over = true;
  }
  changed.notify_all();
  if (thread.joinable())
    thread.join();
}

void PeerWatch::Inside::set(bool inside) {
  if (!watch)
    return;
  {
    const std::lock_guard lock(watch->mutex);
    watch->inside = inside;
  }
  watch->changed.notify_all();
}

void PeerWatch::watchPeers() {
  std::unique_lock lock(mutex);
  while (!over) {
    changed.wait_for(lock, kLookEvery, [this] { return over; });
    if (over || !inside)
      continue;
    lock.unlock();
    const Status status = look();
    lock.lock();
    if (status.ok() || changed.wait_for(lock, kComesOutWithin, [this] { return over || !inside; }))
      continue;
    lock.unlock();
    stuck(status);
    return;
  }
}

} // namespace zp::rt
