#include "runtime/collective/throttled/throttled_communicator.h"

#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <vector>

namespace zp::rt {
namespace {

/// Two ranks' engine without the other rank: notes what it is asked for.
class Recorder : public Communicator {
public:
  int rank() const override { return 5; } // the second of its host's two
  int size() const override { return 2; }
  const char *engine() const override { return "recorder"; }
  int localSize() const override { return 2; }
  int localRank() const override { return 1; }
  Status allGather(const void *, void *, size_t bytes) override { return note(bytes); }
  Status reduceScatter(void *, void *, size_t count, DType) override { return note(count); }
  Status allReduce(void *, size_t count, DType) override { return note(count); }
  Status barrier() override { return note(0); }
  Status checkPeers() const override { return fails ? Status(ErrorCode::PeerLost, "gone") : Status(); }
  void abort() override { aborted = true; }
  std::vector<size_t> asked;
  bool aborted = false, fails = false;

private:
  Status note(size_t size) {
    asked.push_back(size);
    return fails ? Status(ErrorCode::PeerLost, "gone") : Status();
  }
};

double secondsOf(const std::function<Status()> &body) {
  auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(body().ok());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(ThrottledCommunicator, CarriesOutAndTakesItsTime) {
  Recorder inner;
  auto slow = createThrottledCommunicator(inner, 1e6);
  EXPECT_GE(secondsOf([&] { return slow->allGather(nullptr, nullptr, 20000); }), 0.020);                // one other's shard
  EXPECT_GE(secondsOf([&] { return slow->reduceScatter(nullptr, nullptr, 5000, DType::F32); }), 0.020); // four bytes each
  EXPECT_GE(secondsOf([&] { return slow->allReduce(nullptr, 2500, DType::F64); }), 0.020);              // half of it, twice
  EXPECT_TRUE(slow->barrier().ok());
  EXPECT_EQ(inner.asked, (std::vector<size_t>{20000, 5000, 2500, 0}));
  slow->abort();
  EXPECT_TRUE(inner.aborted);
}

TEST(ThrottledCommunicator, ItsPlaceIsTheEngines) {
  Recorder inner;
  auto slow = createThrottledCommunicator(inner, 1e9);
  EXPECT_EQ(slow->rank(), 5);
  EXPECT_EQ(slow->size(), 2);
  EXPECT_EQ(slow->localSize(), 2);
  EXPECT_EQ(slow->localRank(), 1);
}

TEST(ThrottledCommunicator, AFailureIsPassedOnAtOnce) {
  Recorder inner;
  inner.fails = true;
  auto slow = createThrottledCommunicator(inner, 1e-3); // eleven days
  EXPECT_EQ(slow->allGather(nullptr, nullptr, 1000).code(), ErrorCode::PeerLost);
  EXPECT_EQ(slow->checkPeers().code(), ErrorCode::PeerLost);
}

} // namespace
} // namespace zp::rt
