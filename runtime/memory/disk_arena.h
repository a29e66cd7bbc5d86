// The disk tier of one rank: a file as large as the plan says, in a directory that the user names. It has no name in that
// directory, so nothing is left behind whatever happens to the process, and its blocks are allocated before the first step,
// so a disk that is too small is found then.
//
// Transfers go past the page cache (O_DIRECT) where the file system allows it, or offloading would only move the bytes to
// other memory; elsewhere through it, which `direct()` tells. Thread-safety: any number of transfers at a time.
#ifndef ZP_RUNTIME_MEMORY_DISK_ARENA_H
#define ZP_RUNTIME_MEMORY_DISK_ARENA_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

class DiskArena {
public:
  /// Errors: Config (no directory named), DiskWrite, DiskFull.
  static StatusOr<DiskArena> create(const std::string &directory, uint64_t bytes);
  DiskArena() = default;
  DiskArena(DiskArena &&other) noexcept;
  DiskArena &operator=(DiskArena &&other) noexcept;
  ~DiskArena();

  bool direct() const { return directFile >= 0; }
  /// Copies file bytes [offset, offset+bytes) to memory, and back. An offset that isn't a multiple of kDiskBlock takes the slow way.
  Status read(uint64_t offset, void *target, uint64_t bytes) const;
  Status write(uint64_t offset, const void *source, uint64_t bytes) const;

private:
  template <bool Writing> Status transfer(uint64_t offset, uint8_t *memory, uint64_t bytes) const;

  std::string directory;
  int file = -1, directFile = -1;
};

/// What offsets and lengths of direct transfers are multiples of; the plan's buffers on disk begin at such offsets.
inline constexpr uint64_t kDiskBlock = 4096;

} // namespace zp::rt

#endif // ZP_RUNTIME_MEMORY_DISK_ARENA_H
