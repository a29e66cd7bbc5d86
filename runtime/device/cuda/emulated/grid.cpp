#include "runtime/device/cuda/emulated/grid.h"

#include <memory>
#include <ucontext.h>
#include <vector>

namespace zp::rt::cuda::emulated {
namespace {

constexpr size_t kStackBytes = 64 << 10;

/// The fibers of a thread of the CPU, whose stacks are kept from block to block.
class Fibers {
public:
  void runBlock(unsigned count, const std::function<void()> &thread) {
    body = &thread;
    while (stacks.size() < count)
      stacks.push_back(std::make_unique<char[]>(kStackBytes));
    contexts.resize(count);
    running = count;
    finished.assign(count, false);
    for (unsigned i = 0; i < count; ++i) {
      getcontext(&contexts[i]);
      contexts[i].uc_stack.ss_sp = stacks[i].get();
      contexts[i].uc_stack.ss_size = kStackBytes;
      contexts[i].uc_link = &scheduler;
      makecontext(&contexts[i], &Fibers::enter, 0);
    }
    // A turn of all fibers lies between two barriers.
    while (running > 0)
      for (current = 0; current < count; ++current)
        if (!finished[current]) {
          threadIdx.x = current;
          swapcontext(&scheduler, &contexts[current]);
        }
  }
  void yield() { swapcontext(&contexts[current], &scheduler); }
  uint64_t slots[kMaxThreads];

private:
  static void enter();
  const std::function<void()> *body = nullptr;
  std::vector<std::unique_ptr<char[]>> stacks;
  std::vector<ucontext_t> contexts;
  std::vector<bool> finished;
  ucontext_t scheduler;
  unsigned current = 0, running = 0;
};

Fibers &fibers() {
  thread_local Fibers ours;
  return ours;
}

void Fibers::enter() {
  Fibers &self = fibers();
  (*self.body)();
  self.finished[self.current] = true;
  --self.running;
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
