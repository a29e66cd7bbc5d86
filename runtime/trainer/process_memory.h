// What the system says of this process's memory and of this host's.
#ifndef ZP_RUNTIME_TRAINER_PROCESS_MEMORY_H
#define ZP_RUNTIME_TRAINER_PROCESS_MEMORY_H

#include <cstdint>

namespace zp::rt {

/// Anonymous and shared bytes resident now: pages of mapped files (a checkpoint's) are left out. 0 when unknown.
uint64_t residentOwnBytes();
/// Bytes that this host, or this process's control group, can still give without swapping; UINT64_MAX when unknown.
uint64_t availableBytes();

/// Resident bytes of a process: when something began, when it ended, and the most seen between.
struct ResidentBytes {
  uint64_t before = 0, end = 0, peak = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_PROCESS_MEMORY_H
