#include "runtime/executor/cuda/cuda_memory.h"

#include <algorithm>

#include "runtime/memory/host_memory.h"

namespace zp::rt {

/// What the driver said, and where it had no memory, how much the host has. A driver locks pages itself: no limit of the system's on locked
/// memory holds it.
static Status pinnedRefused(uint64_t bytes, const Status &status) {
  if (status.code() != ErrorCode::DeviceMemory && status.code() != ErrorCode::HostMemory)
    return status;
  const std::string &said = status.message();
  return Status(ErrorCode::HostMemory, said.substr(0, said.find(", expected")) + "; the host has " + std::to_string(availableHostBytes()) +
                                           " bytes available, expected that " + std::to_string(bytes) +
                                           " can be page-locked; offload less, or start fewer ranks on this host");
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

/// What of a plan's reserve a process has taken when its device was selected: the context. A guess until a GPU was asked.
static constexpr uint64_t kContextBytes = 500'000'000;

Status CudaMemory::checkRoom(const fbs::Plan &plan, const cuda::Properties &device) {
  uint64_t planned = 0;
  for (const fbs::Space *space : *plan.spaces())
    planned += space->tier() == fbs::Tier::Device ? space->bytes() : 0;
  const uint64_t beside = plan.reserve_bytes() - std::min<uint64_t>(plan.reserve_bytes(), kContextBytes);
  if (planned + beside <= device.freeMemory)
    return {};
  return Status(ErrorCode::DeviceMemory, "cuda: the plan needs " + std::to_string(planned) + " bytes of " + device.name +
                                             " and its libraries about " + std::to_string(beside) + ", expected at most the " +
                                             std::to_string(device.freeMemory) + " that are free of its " + std::to_string(device.memory) +
                                             "; end what else uses it, see nvidia-smi, or compile with --memory_budget");
}

Status CudaMemory::allocate(const fbs::Plan &plan, const std::string &diskDirectory) {
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
