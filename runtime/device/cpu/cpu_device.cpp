#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "runtime/base/serial_for.h"
#include "runtime/base/spin.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/device/device.h"

namespace zp::rt {
namespace {

constexpr int kSpinRounds = 500;

/// Stream 0 is the calling thread with the pool; each further stream is a thread that runs its steps by itself.
class CpuDevice : public Device {
public:
  CpuDevice(int threads, uint32_t streams, uint32_t eventCount) : pool(threads), reached(eventCount) {
    for (uint32_t stream = 1; stream < streams; ++stream)
      others.emplace_back([this, stream] { serve(stream); });
  }

  ~CpuDevice() override {
    {
      std::lock_guard<std::mutex> lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    for (std::thread &other : others)
      other.join();
  }

  const char *name() const override { return "cpu"; }
  ParallelFor &parallel() override { return pool; }

  Status execute(const StepLists &work, Launcher &with) override {
    uint32_t busy = 0; // streams beside 0 that have something to do
    for (size_t stream = 1; stream < work.streams.size(); ++stream)
      busy += !work.streams[stream].empty();
    failed.store(false);
    failure = {};
    {
      std::lock_guard<std::mutex> lock(mutex);
      lists = &work;
      launcher = &with;
      running = busy;
      ++execution;
    }
    if (busy)
      changed.notify_all();
    walk(work.streams[0], pool);
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return running == 0; });
    return failure;
  }

private:
  void serve(uint32_t stream) {
    SerialFor serial;
    uint64_t seen = 0;
    while (true) {
      const std::vector<Step> *steps;
      {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [&] { return stopping || execution != seen; });
        if (stopping)
          return;
        seen = execution;
        steps = stream < lists->streams.size() ? &lists->streams[stream] : nullptr;
      }
      if (!steps || steps->empty())
        continue;
      walk(*steps, serial);
      std::lock_guard<std::mutex> lock(mutex);
      if (--running == 0)
        changed.notify_all();
    }
  }

  void walk(const std::vector<Step> &steps, ParallelFor &with) {
    for (const Step &step : steps) {
      if (failed.load(std::memory_order_relaxed))
        return;
      switch (step.kind) {
      case Step::Kind::Launch:
        if (Status status = launcher->launch(step, with); !status.ok())
          fail(std::move(status));
        break;
      case Step::Kind::RecordEvent:
        reached[step.event].store(execution, std::memory_order_release);
        // Under the lock, so that a thread about to sleep can't miss it.
        { std::lock_guard<std::mutex> lock(mutex); }
        changed.notify_all();
        break;
      case Step::Kind::WaitEvent:
        await(reached[step.event]);
        break;
      }
    }
  }

  void await(const std::atomic<uint64_t> &event) {
    auto over = [&] { return event.load(std::memory_order_acquire) == execution || failed.load(); };
    if (spinUntil(over, kSpinRounds))
      return;
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, over);
  }

  void fail(Status status) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!failed.exchange(true))
        failure = std::move(status);
    }
    changed.notify_all();
  }

  ThreadPool pool;
  std::vector<std::atomic<uint64_t>> reached; // by event: the last execution in which it was recorded
  std::mutex mutex;
  std::condition_variable changed;
  // Written under the mutex, between executions alone.
  const StepLists *lists = nullptr;
  Launcher *launcher = nullptr;
  uint64_t execution = 0;
  uint32_t running = 0;
  bool stopping = false;
  std::atomic<bool> failed{false};
  Status failure;
  std::vector<std::thread> others; // last: they use the rest
};

} // namespace

std::unique_ptr<Device> createCpuDevice(int threads, uint32_t streams, uint32_t events) {
  return std::make_unique<CpuDevice>(std::max(threads, 1), streams, events);
}

} // namespace zp::rt
