#include "runtime/device/cuda/emulated/grid.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <ucontext.h>
#include <vector>

#include "runtime/device/cuda/emulated/order.h"

namespace zp::rt::cuda::emulated {
namespace {

constexpr size_t kStackBytes = 64 << 10;

/// What a fiber is at: to go on, a meeting of its warp, one of the block, or its end.
enum class At { Work, Warp, Block, End };

struct Copy {
  void *target;
  const void *source;
};

/// The fibers of a thread of the CPU. They live on from block to block, and change places by jumps, which ask nothing of the kernel.
class Fibers {
public:
  void runBlock(unsigned count, const std::function<void()> &thread) {
    body = &thread;
    while (fibers.size() < count)
      fibers.push_back(std::make_unique<Fiber>());
    for (unsigned i = 0; i < count; ++i) {
      fibers[i]->at = At::Work;
      fibers[i]->exchanges = 0;
      fibers[i]->copies.clear();
    }
    for (bool any = true; any;) { // a turn of all warps lies between two barriers
      warps.clear();
      for (unsigned first = 0; first < count; first += kWarpThreads)
        warps.push_back(first);
      while (!warps.empty()) {
        const size_t next = order().pick(warps.size());
        runWarp(warps[next], std::min(warps[next] + kWarpThreads, count));
        warps.erase(warps.begin() + static_cast<std::ptrdiff_t>(next));
      }
      any = false;
      for (unsigned i = 0; i < count; ++i)
        if (fibers[i]->at == At::Block) {
          fibers[i]->at = At::Work;
          any = true;
        }
    }
  }
  void yield(At where) {
    fibers[current]->at = where;
    if (_setjmp(fibers[current]->place) == 0)
      _longjmp(scheduler, 1);
  }
  std::vector<Copy> &copies() { return fibers[current]->copies; }
  Exchanged *exchange() { return exchanged[fibers[current]->exchanges++ % 2]; }

private:
  struct Fiber {
    jmp_buf place;
    At at = At::Work;
    bool started = false;
    unsigned exchanges = 0; ///< in this block
    std::vector<Copy> copies;
    std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
  };

  /// Until all threads of the warp wait for other warps or have ended.
  void runWarp(unsigned first, unsigned end) {
    for (;;) {
      lanes.clear();
      for (unsigned i = first; i < end; ++i)
        if (fibers[i]->at == At::Work)
          lanes.push_back(i);
      while (!lanes.empty()) {
        const size_t next = order().pick(lanes.size());
        resume(lanes[next]);
        lanes.erase(lanes.begin() + static_cast<std::ptrdiff_t>(next));
      }
      unsigned met = 0;
      for (unsigned i = first; i < end; ++i)
        met += fibers[i]->at == At::Warp;
      if (met == 0)
        return;
      if (met != end - first) { // a GPU hangs there, or gives what nobody can tell
        std::fprintf(stderr, "%u of %u threads of a warp shuffle, expected all of them: the others are at a barrier or have ended; this is a bug\n",
                     met, end - first);
        std::abort();
      }
      for (unsigned i = first; i < end; ++i)
        fibers[i]->at = At::Work;
    }
  }

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
  std::vector<unsigned> warps, lanes; // that are still to run
  jmp_buf scheduler;
  unsigned current = 0;
  Exchanged exchanged[2][kMaxThreads];
};

Fibers &fibers() {
  thread_local Fibers ours;
  return ours;
}

void Fibers::live() {
  Fibers &self = zp::rt::cuda::emulated::fibers();
  for (;;) {
    (*self.body)();
    self.yield(At::End);
  }
}

} // namespace

void runGrid(unsigned blocks, unsigned threads, const std::function<void()> &thread) {
  gridDim.x = blocks;
  blockDim.x = threads;
  for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)
    fibers().runBlock(threads, thread);
}

void meetBlock() { fibers().yield(At::Block); }
void meetWarp() { fibers().yield(At::Warp); }
Exchanged *exchange() { return fibers().exchange(); }
void copyLater(void *target, const void *source) { fibers().copies().push_back({target, source}); }
void finishCopies() {
  for (const Copy &copy : fibers().copies())
    if (copy.source)
      std::memcpy(copy.target, copy.source, 16);
    else
      std::memset(copy.target, 0, 16);
  fibers().copies().clear();
}

} // namespace zp::rt::cuda::emulated
