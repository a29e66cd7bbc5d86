#include <array>
#include <cerrno>
#include <unistd.h>

#include "runtime/memory/disk_queue.h"

namespace zp::rt {
namespace {

/// Carries a transfer out when it is started.
class SerialQueue : public DiskQueue {
public:
  const char *name() const override { return "pread"; }

  void start(uint32_t tag, const DiskTransfer &transfer) override {
    auto at = static_cast<off_t>(transfer.offset);
    ssize_t moved =
        transfer.writing ? ::pwrite(transfer.file, transfer.memory, transfer.bytes, at) : ::pread(transfer.file, transfer.memory, transfer.bytes, at);
    ended[last++ % kDepth] = {tag, moved < 0 ? -errno : moved};
  }
  DiskCompletion next() override { return ended[first++ % kDepth]; }

private:
  std::array<DiskCompletion, kDepth> ended{};
  uint32_t first = 0, last = 0;
};

} // namespace

std::unique_ptr<DiskQueue> createSerialQueue() { return std::make_unique<SerialQueue>(); }

} // namespace zp::rt
