#include "runtime/collective/device/device_collectives.h"

namespace zp::rt {
namespace {

class StagedCollectives final : public DeviceCollectives {
public:
  StagedCollectives(Communicator &communicator, void *whole, void *shard) : communicator(communicator), wholeHere(whole), shardHere(shard) {}
  ~StagedCollectives() override {
    cuda::freePinned(wholeHere);
    cuda::freePinned(shardHere);
  }
  const char *engine() const override { return "staged"; }
  bool isAsynchronous() const override { return false; }

  Status allGather(const void *shard, void *whole, size_t bytes, cuda::Stream stream) override {
    ZP_RETURN_IF_ERROR(bring(shardHere, shard, bytes, stream));
    ZP_RETURN_IF_ERROR(communicator.allGather(shardHere, wholeHere, bytes));
    return bring(whole, wholeHere, bytes * static_cast<size_t>(communicator.size()), stream);
  }
  Status reduceScatter(void *whole, void *shard, size_t count, DType dtype, cuda::Stream stream) override {
    ZP_RETURN_IF_ERROR(bring(wholeHere, whole, bytesOf(dtype, count) * static_cast<uint64_t>(communicator.size()), stream));
    ZP_RETURN_IF_ERROR(communicator.reduceScatter(wholeHere, shardHere, count, dtype));
    return bring(shard, shardHere, bytesOf(dtype, count), stream);
  }
  Status allReduce(void *data, size_t count, DType dtype, cuda::Stream stream) override {
    ZP_RETURN_IF_ERROR(bring(wholeHere, data, bytesOf(dtype, count), stream));
    ZP_RETURN_IF_ERROR(communicator.allReduce(wholeHere, count, dtype));
    return bring(data, wholeHere, bytesOf(dtype, count), stream);
  }

private:
  /// The staging memory is free again when it returns.
  static Status bring(void *target, const void *source, uint64_t bytes, cuda::Stream stream) {
    ZP_RETURN_IF_ERROR(cuda::copyAsync(target, source, bytes, stream));
    return cuda::synchronize(stream);
  }

  Communicator &communicator;
  void *wholeHere, *shardHere;
};

} // namespace

StatusOr<std::unique_ptr<DeviceCollectives>> createStagedCollectives(Communicator &communicator, uint64_t largest) {
  ZP_ASSIGN_OR_RETURN(void *whole, cuda::allocatePinned(largest));
  StatusOr<void *> shard = cuda::allocatePinned(largest);
  if (!shard.ok()) {
    cuda::freePinned(whole);
    return shard.status();
  }
  return std::unique_ptr<DeviceCollectives>(std::make_unique<StagedCollectives>(communicator, whole, *shard));
}

} // namespace zp::rt
