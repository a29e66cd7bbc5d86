#include "runtime/device/cpu/thread_pool.h"

#include <algorithm>
#include <sched.h>

#include "runtime/base/spin.h"

namespace zp::rt {

constexpr int kSpinRounds = 2000;       // some tens of microseconds
constexpr int64_t kPiecesPerThread = 4; // so that a slow thread holds up little

static int coresOfProcess() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

int threadsOfRank(int asked, int ranksHere) { return asked > 0 ? asked : std::max(coresOfProcess() / std::max(ranksHere, 1), 1); }

ThreadPool::ThreadPool(int threads) {
  for (int i = 1; i < threads; ++i)
    workers.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  stopping = true;
  loops.fetch_add(1);
  loops.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

bool ThreadPool::takePiece() {
  uint64_t current = ticket.load();
  do {
    if (static_cast<uint32_t>(current) >= current >> 32)
      return false;
  } while (!ticket.compare_exchange_weak(current, current + 1));
  // The loop that this piece belongs to can't end before `finished` is counted up, so its fields stand still.
  int64_t piece = static_cast<uint32_t>(current);
  int64_t begin = count * piece / pieces, end = count * (piece + 1) / pieces;
  (*body)(begin, end);
  finished.fetch_add(1);
  return true;
}

void ThreadPool::work() {
  while (true) {
    uint32_t seen = loops.load();
    if (stopping)
      return;
    while (takePiece()) {
    }
    if (!spinUntil([&] { return loops.load() != seen; }, kSpinRounds))
      loops.wait(seen);
  }
}

void ThreadPool::run(int64_t total, int64_t grain, const Body &loopBody) {
  if (total <= 0)
    return;
  int64_t most = (total + std::max<int64_t>(grain, 1) - 1) / std::max<int64_t>(grain, 1);
  int64_t wanted = std::min(most, threads() * kPiecesPerThread);
  if (wanted <= 1 || workers.empty()) {
    loopBody(0, total);
    return;
  }
  body = &loopBody;
  count = total;
  pieces = wanted;
  finished.store(0);
  ticket.store(static_cast<uint64_t>(wanted) << 32);
  loops.fetch_add(1);
  loops.notify_all();
  while (takePiece()) {
  }
  while (!spinUntil([&] { return finished.load() == pieces; }, kSpinRounds))
    sched_yield();
}

} // namespace zp::rt
