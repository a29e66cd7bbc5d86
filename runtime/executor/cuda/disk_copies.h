// Copies from and to the disk of a plan for a GPU: through a page-locked piece, while the host waits.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_DISK_COPIES_H
#define ZP_RUNTIME_EXECUTOR_CUDA_DISK_COPIES_H

#include "runtime/collective/device/device_collectives.h"
#include "runtime/executor/cuda/cuda_memory.h"

namespace zp::rt {

class DiskCopies {
public:
  /// Takes the piece, where there is a disk. Both outlive it.
  Status open(CudaMemory &memory, DeviceCollectives &collectives);

  /// Memory is of the host or the device; the stream's earlier work comes first, and all is done on return. `at`: bytes into the disk's file.
  Status toMemory(uint64_t at, void *target, uint64_t bytes, cuda::Stream stream);
  Status toDisk(const void *source, uint64_t at, uint64_t bytes, cuda::Stream stream);
  Status onDisk(uint64_t from, uint64_t to, uint64_t bytes);

private:
  CudaMemory *memory = nullptr;
  DeviceCollectives *collectives = nullptr;
  void *piece = nullptr;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_DISK_COPIES_H
