// The memory of one plan on one GPU and its host. A destructor frees all of it.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_CUDA_MEMORY_H
#define ZP_RUNTIME_EXECUTOR_CUDA_CUDA_MEMORY_H

#include <array>
#include <string>
#include <vector>

#include "runtime/device/cuda/cuda_api.h"
#include "runtime/memory/disk_arena.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

class CudaMemory {
public:
  CudaMemory() = default;
  CudaMemory(const CudaMemory &) = delete;
  CudaMemory &operator=(const CudaMemory &) = delete;
  ~CudaMemory();

  /// Whether the device has room for the plan and for what its process will take beside it. Asked when no library has taken anything yet.
  /// Errors: DeviceMemory, naming both sizes.
  static Status checkRoom(const fbs::Plan &plan, const cuda::Properties &device);
  /// The plan's spaces, exactly as large. Errors: DeviceMemory, HostMemory; those of DiskArena.
  Status allocate(const fbs::Plan &plan, const std::string &diskDirectory);
  /// The first byte of a buffer; null for one on disk.
  uint8_t *buffer(const fbs::Buffer &buffer) const;
  const DiskArena &disk() const { return file; }

  /// More memory, for as long as the object lives.
  StatusOr<void *> device(uint64_t bytes);
  StatusOr<void *> pinned(uint64_t bytes);

private:
  static constexpr size_t kTiers = static_cast<size_t>(fbs::Tier::MAX) + 1;
  std::array<uint8_t *, kTiers> arenas{};
  DiskArena file;
  std::vector<void *> onDevice, onHost;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_CUDA_MEMORY_H
