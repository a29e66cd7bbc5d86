#include "runtime/collective/throttled/throttled_communicator.h"

#include <chrono>
#include <thread>

namespace zp::rt {
namespace {

class ThrottledCommunicator : public Communicator {
public:
  ThrottledCommunicator(Communicator &engine, double bytesPerSecond) : inner(engine), rate(bytesPerSecond) {}

  int rank() const override { return inner.rank(); }
  int size() const override { return inner.size(); }
  const char *engine() const override { return inner.engine(); }
  int localSize() const override { return inner.localSize(); }
  int localRank() const override { return inner.localRank(); }
  bool onOneHost() const override { return false; } // nothing goes round what is slowed

  Status allGather(const void *shard, void *whole, size_t bytes) override {
    return slowed(others() * static_cast<double>(bytes), [&] { return inner.allGather(shard, whole, bytes); });
  }
  Status reduceScatter(void *whole, void *shard, size_t count, DType dtype) override {
    return slowed(others() * static_cast<double>(bytesOf(dtype, count)), [&] { return inner.reduceScatter(whole, shard, count, dtype); });
  }
  /// A reduce_scatter and an all_gather of the nths.
  Status allReduce(void *data, size_t count, DType dtype) override {
    return slowed(2 * others() / size() * static_cast<double>(bytesOf(dtype, count)), [&] { return inner.allReduce(data, count, dtype); });
  }
  Status barrier() override { return inner.barrier(); }
  Status checkPeers() const override { return inner.checkPeers(); }
  void abort() override { inner.abort(); }

private:
  double others() const { return size() - 1; }

  template <typename Collective> Status slowed(double bytes, Collective &&collective) {
    auto end = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(bytes / rate));
    Status status = collective();
    if (status.ok())
      std::this_thread::sleep_until(end);
    return status;
  }

  Communicator &inner;
  double rate;
};

} // namespace

std::unique_ptr<Communicator> createThrottledCommunicator(Communicator &engine, double bytesPerSecond) {
  return std::make_unique<ThrottledCommunicator>(engine, bytesPerSecond);
}

} // namespace zp::rt
