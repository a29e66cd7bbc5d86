// What the system says of this process's memory.
#ifndef ZP_RUNTIME_TRAINER_PROCESS_MEMORY_H
#define ZP_RUNTIME_TRAINER_PROCESS_MEMORY_H

#include <cstdint>

namespace zp::rt {

/// Anonymous and shared bytes resident now, a page that n processes share as an nth (whole in each, where the kernel doesn't say): pages of
/// mapped files (a checkpoint's) are left out. 0 when unknown.
uint64_t residentOwnBytes();
/// Resident bytes of a process: when something began, when it ended, and the most seen between.
struct ResidentBytes {
  uint64_t before = 0, end = 0, peak = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_PROCESS_MEMORY_H
