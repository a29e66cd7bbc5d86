#include <algorithm>
#include <random>

#include "runtime/device/cpu/thread_pool.h"
#include "runtime/device/device.h"

namespace zp::rt {
namespace {

class OrderedDevice : public Device {
public:
  OrderedDevice(StreamOrder order, uint64_t seed, int threads, uint32_t streams, uint32_t events)
      : order(order), random(seed), pool(threads), next(streams), able(streams), reached(events) {}

  const char *name() const override { return "ordered"; }
  ParallelFor &parallel() override { return pool; }

  Status execute(const StepLists &lists, Launcher &launcher) override {
    std::fill(next.begin(), next.end(), 0);
    std::fill(reached.begin(), reached.end(), false);
    size_t left = 0;
    for (const std::vector<Step> &steps : lists.streams)
      left += steps.size();
    for (; left > 0; --left) {
      const size_t count = findAble(lists);
      if (count == 0)
        return Status(ErrorCode::Internal,
                      "device: every stream awaits an event that none of them will record, expected a plan that has been verified; this is a bug");
      const uint32_t stream = able[choose(lists, count)];
      const Step &step = lists.streams[stream][next[stream]++];
      if (step.kind == Step::Kind::Launch)
        ZP_RETURN_IF_ERROR(launcher.launch(step, pool));
      else if (step.kind == Step::Kind::RecordEvent)
        reached[step.event] = true;
    }
    return {};
  }

private:
  const Step &head(const StepLists &lists, uint32_t stream) const { return lists.streams[stream][next[stream]]; }

  /// How many streams can take a step now; they stand at the front of `able`, in their order.
  size_t findAble(const StepLists &lists) {
    size_t count = 0;
    for (uint32_t stream = 0; stream < lists.streams.size(); ++stream) {
      if (next[stream] == lists.streams[stream].size())
        continue;
      const Step &step = head(lists, stream);
      if (step.kind != Step::Kind::WaitEvent || reached[step.event])
        able[count++] = stream;
    }
    return count;
  }

  size_t choose(const StepLists &lists, size_t count) {
    switch (order) {
    case StreamOrder::Listed:
      return static_cast<size_t>(std::min_element(able.begin(), able.begin() + static_cast<std::ptrdiff_t>(count),
                                                  [&](uint32_t a, uint32_t b) { return head(lists, a).index < head(lists, b).index; }) -
                                 able.begin());
    case StreamOrder::LowestFirst:
      return 0;
    case StreamOrder::HighestFirst:
      return count - 1;
    case StreamOrder::Drawn:
      return random() % count;
    }
    return 0;
  }

  StreamOrder order;
  std::mt19937_64 random;
  ThreadPool pool;
  std::vector<size_t> next;   // by stream: the step it takes next
  std::vector<uint32_t> able; // room for findAble
  std::vector<bool> reached;  // by event
};

} // namespace

std::unique_ptr<Device> createOrderedDevice(StreamOrder order, uint64_t seed, int threads, uint32_t streams, uint32_t events) {
  return std::make_unique<OrderedDevice>(order, seed, std::max(threads, 1), streams, events);
}

} // namespace zp::rt
