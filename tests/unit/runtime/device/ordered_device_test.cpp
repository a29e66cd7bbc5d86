#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <vector>

#include "runtime/device/device.h"

namespace zp::rt {
namespace {

class OrderRecorder : public Launcher {
public:
  Status launch(const Step &step, ParallelFor &) override {
    order.push_back(step.index);
    return {};
  }
  std::vector<uint32_t> order;
};

Step launched(uint32_t index) { return {Step::Kind::Launch, 30, 0, index}; }
Step record(uint32_t event, uint32_t index) { return {Step::Kind::RecordEvent, 1, event, index}; }
Step await(uint32_t event, uint32_t index) { return {Step::Kind::WaitEvent, 2, event, index}; }

/// Stream 0: 0, 2, wait, 7. Stream 1: 1, 3, record, 5. Free but for 7, which comes after 3.
const StepLists kLists{{{launched(0), launched(2), await(0, 6), launched(7)}, {launched(1), launched(3), record(0, 4), launched(5)}}, 1};

std::vector<uint32_t> orderOf(StreamOrder order, uint64_t seed = 0) {
  auto device = createOrderedDevice(order, seed, 1, 2, 1);
  OrderRecorder recorder;
  for (int run = 0; run < 2; ++run) { // events of the first run say nothing in the second
    recorder.order.clear();
    EXPECT_TRUE(device->execute(kLists, recorder).ok());
  }
  return recorder.order;
}

TEST(OrderedDevice, GoesAsFarAsEventsLetIt) {
  EXPECT_EQ(orderOf(StreamOrder::Listed), (std::vector<uint32_t>{0, 1, 2, 3, 5, 7}));
  EXPECT_EQ(orderOf(StreamOrder::LowestFirst), (std::vector<uint32_t>{0, 2, 1, 3, 7, 5}));
  EXPECT_EQ(orderOf(StreamOrder::HighestFirst), (std::vector<uint32_t>{1, 3, 5, 0, 2, 7}));
}

TEST(OrderedDevice, ASeedDrawsALegalOrderAndSeedsDiffer) {
  std::set<std::vector<uint32_t>> orders;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::vector<uint32_t> order = orderOf(StreamOrder::Drawn, seed);
    EXPECT_EQ(order, orderOf(StreamOrder::Drawn, seed));
    auto place = [&](uint32_t index) { return std::find(order.begin(), order.end(), index) - order.begin(); };
    EXPECT_TRUE(place(0) < place(2) && place(2) < place(7) && place(1) < place(3) && place(3) < place(5) && place(3) < place(7));
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 5u);
}

TEST(OrderedDevice, StreamsThatWaitForOneAnotherAreAnErrorAndNoHang) {
  auto device = createOrderedDevice(StreamOrder::Listed, 0, 1, 2, 2);
  OrderRecorder recorder;
  StepLists lists{{{await(0, 0), record(1, 1)}, {await(1, 2), record(0, 3)}}, 2};
  EXPECT_EQ(device->execute(lists, recorder).code(), ErrorCode::Internal);
}

} // namespace
} // namespace zp::rt
