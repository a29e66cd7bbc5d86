#include <atomic>
#include <cerrno>
#include <cstring>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/memory/disk_queue.h"

namespace zp::rt {
namespace {

/// Memory that the kernel shares.
struct Pages {
  uint8_t *base = nullptr;
  size_t bytes = 0;

  bool map(int fd, size_t size, uint64_t offset) {
    void *address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset));
    if (address == MAP_FAILED)
      return false;
    base = static_cast<uint8_t *>(address);
    bytes = size;
    return true;
  }
  ~Pages() {
    if (base)
      ::munmap(base, bytes);
  }
  uint32_t *word(uint32_t offset) const { return reinterpret_cast<uint32_t *>(base + offset); }
};

class RingQueue : public DiskQueue {
public:
  ~RingQueue() override {
    if (ring >= 0)
      ::close(ring);
  }

  bool open() {
    io_uring_params parameters{};
    ring = static_cast<int>(::syscall(SYS_io_uring_setup, kDepth, &parameters));
    if (ring < 0 || !transfers())
      return false; // an old kernel, or a sandbox
    const size_t submission = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
    const size_t completion = parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe);
    if (!submitted.map(ring, submission, IORING_OFF_SQ_RING) || !completed.map(ring, completion, IORING_OFF_CQ_RING) ||
        !entries.map(ring, parameters.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES))
      return false;
    sqTail = submitted.word(parameters.sq_off.tail);
    sqMask = *submitted.word(parameters.sq_off.ring_mask);
    sqIndices = submitted.word(parameters.sq_off.array);
    cqHead = completed.word(parameters.cq_off.head);
    cqTail = completed.word(parameters.cq_off.tail);
    cqMask = *completed.word(parameters.cq_off.ring_mask);
    results = reinterpret_cast<io_uring_cqe *>(completed.base + parameters.cq_off.cqes);
    return true;
  }

  /// Whether it reads and writes: rings are older than these two, and so is asking.
  bool transfers() const {
    constexpr unsigned kMost = 256; // operations
    alignas(io_uring_probe) uint8_t memory[sizeof(io_uring_probe) + kMost * sizeof(io_uring_probe_op)] = {};
    auto *known = reinterpret_cast<io_uring_probe *>(memory);
    if (::syscall(SYS_io_uring_register, ring, IORING_REGISTER_PROBE, known, kMost) < 0)
      return false;
    auto has = [&](unsigned operation) { return operation <= known->last_op && (known->ops[operation].flags & IO_URING_OP_SUPPORTED); };
    return has(IORING_OP_READ) && has(IORING_OP_WRITE);
  }

  const char *name() const override { return "io_uring"; }

  void start(uint32_t tag, const DiskTransfer &transfer) override {
    const uint32_t tail = *sqTail, slot = tail & sqMask; // ours alone to move
    io_uring_sqe &entry = reinterpret_cast<io_uring_sqe *>(entries.base)[slot];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = transfer.writing ? IORING_OP_WRITE : IORING_OP_READ;
    entry.fd = transfer.file;
    entry.addr = reinterpret_cast<uint64_t>(transfer.memory);
    entry.len = transfer.bytes;
    entry.off = transfer.offset;
    entry.user_data = tag;
    sqIndices[slot] = slot;
    std::atomic_ref(*sqTail).store(tail + 1, std::memory_order_release);
    ++pending;
    submit(0);
  }

  DiskCompletion next() override {
    const uint32_t head = *cqHead;
    while (head == std::atomic_ref(*cqTail).load(std::memory_order_acquire))
      submit(1);
    const io_uring_cqe &result = results[head & cqMask];
    DiskCompletion completion{static_cast<uint32_t>(result.user_data), result.res};
    std::atomic_ref(*cqHead).store(head + 1, std::memory_order_release);
    return completion;
  }

private:
  /// Hands over what is pending and waits for `least` completions; what the kernel doesn't take now it gets with the next call.
  void submit(uint32_t least) {
    long taken = ::syscall(SYS_io_uring_enter, ring, pending, least, least ? IORING_ENTER_GETEVENTS : 0u, nullptr, 0);
    if (taken > 0)
      pending -= static_cast<uint32_t>(taken);
  }

  int ring = -1;
  Pages submitted, completed, entries;
  uint32_t *sqTail = nullptr, *sqIndices = nullptr, *cqHead = nullptr, *cqTail = nullptr;
  uint32_t sqMask = 0, cqMask = 0, pending = 0;
  io_uring_cqe *results = nullptr;
};

} // namespace

std::unique_ptr<DiskQueue> createRingQueue() {
  auto queue = std::make_unique<RingQueue>();
  if (!queue->open())
    return nullptr;
  return queue;
}

} // namespace zp::rt
