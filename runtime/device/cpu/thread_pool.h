// The compute threads of a rank. The calling thread works too; the others look for work for a moment after each loop and
// then sleep, so that a step of many short kernels pays no wake-up for each.
#ifndef ZP_RUNTIME_DEVICE_CPU_THREAD_POOL_H
#define ZP_RUNTIME_DEVICE_CPU_THREAD_POOL_H

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/base/parallel_for.h"

namespace zp::rt {

/// Compute threads of a rank: `asked`, or of 0 its share of the cores that this process may use; 1 at least.
int threadsOfRank(int asked, int ranksHere);

class ThreadPool : public ParallelFor {
public:
  /// `threads` in all, the caller's among them; 1 makes no thread.
  explicit ThreadPool(int threads);
  ~ThreadPool() override;
  void run(int64_t count, int64_t grain, const Body &body) override;
  int threads() const override { return static_cast<int>(workers.size()) + 1; }

private:
  void work();
  bool takePiece();

  std::vector<std::thread> workers;
  // The loop in progress. Written by the caller while no piece is to be had; read by whoever has got one.
  const Body *body = nullptr;
  int64_t count = 0, pieces = 0;
  // pieces << 32 | next piece: one word, so that a piece is never taken from another loop than its own.
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<int64_t> finished{0};
  alignas(64) std::atomic<uint32_t> loops{0}; // what sleepers wait on
  std::atomic<bool> stopping{false};
};

} // namespace zp::rt

#endif // ZP_RUNTIME_DEVICE_CPU_THREAD_POOL_H
