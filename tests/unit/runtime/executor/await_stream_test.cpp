// The host's wait for collectives on a device: it ends with them, or when the peers do.
#include "runtime/executor/cuda/await_stream.h"

#include <chrono>
#include <gtest/gtest.h>

#include "runtime/device/cuda/emulated/streams.h"

namespace zp::rt {
namespace {

/// Collectives of two ranks, of which the other comes, or does not: asked `watchesUntilLost` times, it is lost, and what waits for it ends.
class Peers : public DeviceCollectives {
public:
  explicit Peers(bool wait, int watchesUntilLost = 0) : waits(wait), left(watchesUntilLost) {}
  const char *engine() const override { return "peers"; }
  bool isAsynchronous() const override { return true; }
  Status allGather(const void *, void *, size_t, cuda::Stream stream) override {
    cuda::emulated::askUntil(stream, [this] { return came || aborted; });
    return {};
  }
  Status reduceScatter(void *, void *, size_t, DType, cuda::Stream) override { return {}; }
  Status allReduce(void *, size_t, DType, cuda::Stream) override { return {}; }
  bool waitsForPeers() const override { return waits; }
  Status watch() override {
    ++watched;
    if (left > 0 && --left == 0)
      return Status(ErrorCode::PeerLost, "rank 0: rank 1 is gone");
    came = left == 0;
    return {};
  }
  void abort() override { aborted = true; }
  bool came = false, aborted = false;
  int watched = 0;

private:
  bool waits;
  int left;
};

class AwaitStream : public ::testing::Test {
protected:
  AwaitStream() { stream = *cuda::createStream(); }
  ~AwaitStream() override { cuda::destroyStream(stream); }
  cuda::Stream stream;
};

TEST_F(AwaitStream, EndsWithTheWork) {
  Peers peers(true);
  bool done = false;
  cuda::emulated::ask(stream, [&] { done = true; });
  EXPECT_TRUE(awaitStream(stream, peers).ok());
  EXPECT_TRUE(done);
  EXPECT_EQ(peers.watched, 0); // work that is short isn't watched
}

TEST_F(AwaitStream, WaitsForAPeerThatComesLate) {
  Peers peers(true);
  ASSERT_TRUE(peers.allGather(nullptr, nullptr, 0, stream).ok());
  EXPECT_TRUE(awaitStream(stream, peers).ok());
  EXPECT_GE(peers.watched, 1); // it came then
}

TEST_F(AwaitStream, APeerThatIsGoneIsAnErrorAndNoStreamWaitsAfterAnAbort) {
  Peers peers(true, 3);
  ASSERT_TRUE(peers.allGather(nullptr, nullptr, 0, stream).ok());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(awaitStream(stream, peers).code(), ErrorCode::PeerLost);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 10.0);
  EXPECT_FALSE(peers.aborted); // graphs go first, which are not its own
  peers.abort();
  EXPECT_TRUE(cuda::synchronize(stream).ok());
}

TEST_F(AwaitStream, WithoutPeersNobodyIsAsked) {
  Peers peers(false);
  cuda::emulated::ask(stream, [] {});
  EXPECT_TRUE(awaitStream(stream, peers).ok());
  EXPECT_EQ(peers.watched, 0);
}

} // namespace
} // namespace zp::rt
