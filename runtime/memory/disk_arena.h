// The disk tier of one rank: a file as large as the plan says, in a directory that the user names. It has no name in that
// directory, so nothing is left behind whatever happens to the process, and its blocks are allocated before the first step,
// so a disk that is too small is found then.
//
// Transfers go past the page cache (O_DIRECT) where the file system allows it, or offloading would only move the bytes to
// other memory; elsewhere through it, which `notice` tells. A transfer is cut into pieces of which several are under way at a
// time (disk_queue.h); it is over when it returns, so the plan's events order it as they do any instruction.
// Thread-safety: any number of transfers at a time; two at full speed.
#ifndef ZP_RUNTIME_MEMORY_DISK_ARENA_H
#define ZP_RUNTIME_MEMORY_DISK_ARENA_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/schema/disk_block.h"

namespace zp::rt {

class DiskArena {
public:
  /// Errors: Config (no directory named), DiskWrite, DiskFull.
  static StatusOr<DiskArena> create(const std::string &directory, uint64_t bytes);
  DiskArena();
  DiskArena(DiskArena &&other) noexcept;
  DiskArena &operator=(DiskArena &&other) noexcept;
  ~DiskArena();

  bool direct() const { return directFile >= 0; }
  /// io_uring, pread; empty without a file.
  std::string engine() const;
  /// Where transfers aren't direct: a line that says so and what it means. Empty where all is as it should be.
  std::string notice() const;
  /// Copies file bytes [offset, offset+bytes) to memory, and back. What a write leaves of its last block becomes zero. An offset that isn't a
  /// multiple of kDiskBlock takes the slow way. Errors: DiskFull, DiskWrite, also for a device that is gone: nothing is under way any more when they
  /// return.
  Status read(uint64_t offset, void *target, uint64_t bytes) const;
  Status write(uint64_t offset, const void *source, uint64_t bytes) const;

private:
  class Channel;
  Status transfer(bool writing, uint64_t offset, uint8_t *memory, uint64_t bytes) const;

  std::string directory;
  int file = -1, directFile = -1;
  std::vector<std::unique_ptr<Channel>> channels;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_MEMORY_DISK_ARENA_H
