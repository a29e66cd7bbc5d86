#include "runtime/executor/cuda/cuda_memory.h"

#include <sys/resource.h>

namespace zp::rt {

/// What the driver said, and the system's own limit, which a driver may be held to.
static Status pinnedRefused(uint64_t bytes, const Status &status) {
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  const std::string &said = status.message();
  return Status(ErrorCode::HostMemory, said.substr(0, said.find(", expected")) + "; the limit on locked memory is " +
                                           (limited ? std::to_string(limit.rlim_cur) + " bytes" : "none") +
                                           ", expected that " + std::to_string(bytes) +
                                           " bytes of host memory can be locked; raise it with ulimit -l, or offload less");
}

CudaMemory::~CudaMemory() {
  for (void *memory : onDevice)
    cuda::freeDevice(memory);
  for (void *memory : onHost)
    cuda::freePinned(memory);
}

StatusOr<void *> CudaMemory::device(uint64_t bytes) {
  ZP_ASSIGN_OR_RETURN(void *memory, cuda::allocateDevice(bytes));
  onDevice.push_back(memory);
  return memory;
}

StatusOr<void *> CudaMemory::pinned(uint64_t bytes) {
  StatusOr<void *> memory = cuda::allocatePinned(bytes);
  if (!memory.ok())
    return pinnedRefused(bytes, memory.status());
  onHost.push_back(*memory);
  return memory;
}

Status CudaMemory::allocate(const fbs::Plan &plan, const cuda::Properties &properties, const std::string &diskDirectory) {
  for (const fbs::Space *space : *plan.spaces()) {
    const auto tier = static_cast<size_t>(space->tier());
    if (space->tier() == fbs::Tier::Disk) {
      if (space->bytes() > 0) {
        ZP_ASSIGN_OR_RETURN(file, DiskArena::create(diskDirectory, space->bytes()));
      }
      continue;
    }
    if (space->tier() == fbs::Tier::Host || space->tier() == fbs::Tier::Pinned) {
      ZP_ASSIGN_OR_RETURN(void *memory, pinned(space->bytes()));
      arenas[tier] = static_cast<uint8_t *>(memory);
      continue;
    }
    if (space->bytes() > properties.freeMemory)
      return Status(ErrorCode::HostMemory, "cuda: the plan needs " + std::to_string(space->bytes()) + " bytes of " + properties.name + ", expected at most the " +
                                               std::to_string(properties.freeMemory) + " that are free of its " + std::to_string(properties.memory) +
                                               "; end what else uses it, or compile with --memory_budget");
    ZP_ASSIGN_OR_RETURN(void *memory, device(space->bytes()));
    arenas[tier] = static_cast<uint8_t *>(memory);
  }
  return {};
}

uint8_t *CudaMemory::buffer(const fbs::Buffer &buffer) const {
  uint8_t *arena = arenas[static_cast<size_t>(buffer.tier())];
  return arena ? arena + buffer.offset() : nullptr;
}

} // namespace zp::rt
