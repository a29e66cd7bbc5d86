// Pinned memory of an emulated device: locked as a driver locks it, so that a limit on locked memory is met here too.
#ifndef ZP_RUNTIME_DEVICE_CUDA_EMULATED_LOCKED_MEMORY_H
#define ZP_RUNTIME_DEVICE_CUDA_EMULATED_LOCKED_MEMORY_H

#include <cstdint>

#include "runtime/base/status.h"

namespace zp::rt::cuda::emulated {

/// Filled with 0xff. Null for no bytes; HostMemory where the system won't lock so many.
StatusOr<void *> allocateLocked(uint64_t bytes);
void freeLocked(void *memory);

} // namespace zp::rt::cuda::emulated

#endif // ZP_RUNTIME_DEVICE_CUDA_EMULATED_LOCKED_MEMORY_H
