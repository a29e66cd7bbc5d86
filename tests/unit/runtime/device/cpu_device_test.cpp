#include <algorithm>
#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/device/device.h"

namespace zp::rt {
namespace {

/// Writes down the order in which steps begin; some are slow, one may fail.
class Recorder : public Launcher {
public:
  Status launch(const Step &step, ParallelFor &parallel) override {
    if (step.index == slow)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::lock_guard<std::mutex> lock(mutex);
    order.push_back(step.index);
    threads.push_back(std::this_thread::get_id());
    if (step.index == failing)
      return Status(ErrorCode::PeerLost, "step fails");
    return {};
  }
  size_t placeOf(uint32_t index) const { return static_cast<size_t>(std::find(order.begin(), order.end(), index) - order.begin()); }
  uint32_t slow = 1000, failing = 1000;
  std::vector<uint32_t> order;
  std::vector<std::thread::id> threads;

private:
  std::mutex mutex;
};

Step launch(uint32_t index) { return {Step::Kind::Launch, 30, 0, index}; }
Step record(uint32_t event) { return {Step::Kind::RecordEvent, 1, event, 900}; }
Step await(uint32_t event) { return {Step::Kind::WaitEvent, 2, event, 901}; }

TEST(CpuDevice, OneStreamRunsOnTheCaller) {
  auto device = createCpuDevice(1, 1, 0);
  Recorder recorder;
  StepLists lists{{{launch(0), launch(1), launch(2)}}, 0};
  ASSERT_TRUE(device->execute(lists, recorder).ok());
  EXPECT_EQ(recorder.order, (std::vector<uint32_t>{0, 1, 2}));
  for (std::thread::id id : recorder.threads)
    EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(CpuDevice, EventsOrderStreamsRunAfterRun) {
  auto device = createCpuDevice(2, 3, 2);
  // 0 on stream 1 is slow; 1 on stream 0 waits for it; 2 on stream 2 waits for 1.
  StepLists lists{{{await(0), launch(1), record(1)}, {launch(0), record(0)}, {await(1), launch(2)}}, 2};
  for (int run = 0; run < 20; ++run) {
    Recorder recorder;
    recorder.slow = run % 3 == 0 ? 0 : 1000;
    ASSERT_TRUE(device->execute(lists, recorder).ok());
    EXPECT_EQ(recorder.order, (std::vector<uint32_t>{0, 1, 2})) << "run " << run;
  }
}

TEST(CpuDevice, StreamsRunBesideEachOther) {
  // Each of the two waits until the other has begun: in turn they would never end.
  class Meeting : public Launcher {
  public:
    Status launch(const Step &, ParallelFor &) override {
      ++begun;
      auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (begun < 2)
        if (std::chrono::steady_clock::now() > deadline)
          return Status(ErrorCode::Internal, "alone");
      return {};
    }
    std::atomic<int> begun{0};
  } meeting;
  auto device = createCpuDevice(1, 2, 0);
  EXPECT_TRUE(device->execute({{{launch(0)}, {launch(1)}}, 0}, meeting).ok());
}

TEST(CpuDevice, AFailureEndsEveryStreamAndIsReturned) {
  auto device = createCpuDevice(1, 2, 1);
  Recorder recorder;
  recorder.failing = 0;
  // Stream 1 fails before it records what stream 0 waits for: a device that forgets that would hang.
  Status status = device->execute({{{await(0), launch(1)}, {launch(0), record(0)}}, 1}, recorder);
  EXPECT_EQ(status.code(), ErrorCode::PeerLost);
  EXPECT_EQ(recorder.order, (std::vector<uint32_t>{0}));
}

} // namespace
} // namespace zp::rt
