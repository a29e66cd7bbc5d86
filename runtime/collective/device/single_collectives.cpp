#include "runtime/collective/device/device_collectives.h"

#include "runtime/schema/dtypes.h"

namespace zp::rt {
namespace {

class SingleCollectives final : public DeviceCollectives {
public:
  const char *engine() const override { return "single"; }
  bool isAsynchronous() const override { return true; }
  Status allGather(const void *shard, void *whole, size_t bytes, cuda::Stream stream) override { return copy(whole, shard, bytes, stream); }
  Status reduceScatter(void *whole, void *shard, size_t count, DType dtype, cuda::Stream stream) override {
    return copy(shard, whole, bytesOf(dtype, count), stream);
  }
  Status allReduce(void *, size_t, DType, cuda::Stream) override { return {}; }

private:
  static Status copy(void *target, const void *source, uint64_t bytes, cuda::Stream stream) {
    return target == source ? Status() : cuda::copyAsync(target, source, bytes, stream);
  }
};

} // namespace

std::unique_ptr<DeviceCollectives> createSingleCollectives() { return std::make_unique<SingleCollectives>(); }

} // namespace zp::rt
