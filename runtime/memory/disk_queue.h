// Transfers between a file and memory, several at a time: by io_uring, or one after another by pread and pwrite where the
// kernel or a sandbox refuses it.
//
// Contract. A transfer's memory belongs to the queue from `start` until `next` has returned its tag; nobody leaves a queue with
// transfers under way. One thread at a time uses a queue.
#ifndef ZP_RUNTIME_MEMORY_DISK_QUEUE_H
#define ZP_RUNTIME_MEMORY_DISK_QUEUE_H

#include <cstdint>
#include <memory>

namespace zp::rt {

struct DiskTransfer {
  bool writing;
  int file;
  uint8_t *memory;
  uint32_t bytes;
  uint64_t offset;
};

struct DiskCompletion {
  uint32_t tag;   ///< that `start` was given
  int64_t result; ///< bytes moved, or -errno
};

class DiskQueue {
public:
  static constexpr uint32_t kDepth = 4; ///< transfers under way at most

  virtual ~DiskQueue() = default;
  virtual const char *name() const = 0; ///< io_uring, pread
  virtual void start(uint32_t tag, const DiskTransfer &transfer) = 0;
  /// The next transfer that has ended, waiting for it; some are under way.
  virtual DiskCompletion next() = 0;
};

/// Null where io_uring can't be had.
std::unique_ptr<DiskQueue> createRingQueue();
std::unique_ptr<DiskQueue> createSerialQueue();

} // namespace zp::rt

#endif // ZP_RUNTIME_MEMORY_DISK_QUEUE_H
