#include "runtime/device/cuda/emulated/grid.h"

#include <csetjmp>
#include <memory>
#include <ucontext.h>
#include <vector>

namespace zp::rt::cuda::emulated {
namespace {

constexpr size_t kStackBytes = 64 << 10;

/// The fibers of a thread of the CPU. They live on from block to block, and change places by jumps, which ask nothing of the kernel.
class Fibers {
public:
  void runBlock(unsigned count, const std::function<void()> &thread) {
    body = &thread;
    while (fibers.size() < count)
      fibers.push_back(std::make_unique<Fiber>());
    running = count;
    for (unsigned i = 0; i < count; ++i)
      fibers[i]->finished = false;
    // A turn of all fibers lies between two barriers.
    while (running > 0)
      for (unsigned i = 0; i < count; ++i)
        if (!fibers[i]->finished)
          resume(i);
  }
  void yield() {
    if (_setjmp(fibers[current]->place) == 0)
      _longjmp(scheduler, 1);
  }
  uint64_t slots[kMaxThreads];

private:
  struct Fiber {
    jmp_buf place;
    bool started = false, finished = false;
    std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
  };

  /// Returns when the fiber yields.
  void resume(unsigned index) {
    current = index;
    threadIdx.x = index;
    Fiber &fiber = *fibers[index];
    if (_setjmp(scheduler) != 0)
      return;
    if (fiber.started)
      _longjmp(fiber.place, 1);
    fiber.started = true;
    ucontext_t first;
    getcontext(&first);
    first.uc_stack.ss_sp = fiber.stack.get();
    first.uc_stack.ss_size = kStackBytes;
    first.uc_link = nullptr;
    makecontext(&first, &Fibers::live, 0);
    setcontext(&first);
  }
  static void live();

  const std::function<void()> *body = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;
  jmp_buf scheduler;
  unsigned current = 0, running = 0;
};

Fibers &fibers() {
  thread_local Fibers ours;
  return ours;
}

void Fibers::live() {
  Fibers &self = zp::rt::cuda::emulated::fibers();
  for (;;) {
    (*self.body)();
    self.fibers[self.current]->finished = true;
    --self.running;
    self.yield();
  }
}

} // namespace

void runGrid(unsigned blocks, unsigned threads, const std::function<void()> &thread) {
  gridDim.x = blocks;
  blockDim.x = threads;
  for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)
    fibers().runBlock(threads, thread);
}

void barrier() { fibers().yield(); }
uint64_t *exchange() { return fibers().slots; }

} // namespace zp::rt::cuda::emulated
