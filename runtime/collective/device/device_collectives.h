// Collectives among ranks whose data lie on devices, in the order of a stream. Same promises as Communicator, but for the order of sums,
// which NCCL chooses.
#ifndef ZP_RUNTIME_COLLECTIVE_DEVICE_DEVICE_COLLECTIVES_H
#define ZP_RUNTIME_COLLECTIVE_DEVICE_DEVICE_COLLECTIVES_H

#include <memory>
#include <string>

#include "runtime/collective/communicator.h"
#include "runtime/device/cuda/cuda_api.h"

namespace zp::rt {

class DeviceCollectives {
public:
  virtual ~DeviceCollectives() = default;
  virtual const char *engine() const = 0; ///< single, staged, nccl
  /// Only asks for work: what a graph can keep.
  virtual bool isAsynchronous() const = 0;
  virtual Status allGather(const void *shard, void *whole, size_t bytes, cuda::Stream stream) = 0;
  virtual Status reduceScatter(void *whole, void *shard, size_t count, DType dtype, cuda::Stream stream) = 0;
  virtual Status allReduce(void *data, size_t count, DType dtype, cuda::Stream stream) = 0;
  /// Whether work in a stream may wait for a peer: then `watch` is asked while the host waits for that stream.
  virtual bool waitsForPeers() const { return false; }
  /// An error, PeerLost or of a collective, when that wait would have no end. Only looks: any thread may ask.
  virtual Status watch() { return {}; }
  /// Ends what waits for peers in streams, in seconds at most; no collective is asked for any more. First all graphs that keep
  /// collectives are destroyed: NCCL waits for that.
  virtual void abort() {}
};

/// A world of one.
std::unique_ptr<DeviceCollectives> createSingleCollectives();
/// By way of host memory and the job's communicator, `largest` bytes of a whole tensor at most: for ranks that share a GPU, and for tests.
StatusOr<std::unique_ptr<DeviceCollectives>> createStagedCollectives(Communicator &communicator, uint64_t largest);
/// NCCL, loaded now; the communicator carries its identity to the ranks. `device`: the id of this rank's. Errors: Config, naming the library
/// that is missing or the ranks that share a device; DeviceMemory; Network.
StatusOr<std::unique_ptr<DeviceCollectives>> createNcclCollectives(Communicator &communicator, const std::string &device);

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_DEVICE_DEVICE_COLLECTIVES_H
