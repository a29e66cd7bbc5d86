// Memory that all ranks of a host see: for what each would otherwise copy from the others.
#ifndef ZP_RUNTIME_COLLECTIVE_SHARED_MEMORY_H
#define ZP_RUNTIME_COLLECTIVE_SHARED_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/base/status.h"
#include "runtime/collective/communicator.h"

namespace zp::rt {

class SharedMemory {
public:
  /// `bytes` zeros, at an address of its own on each rank. A collective: every rank names the same number, and all get the memory or none does.
  /// It is no one's file: it goes with the last rank. Pages are of the rank that first writes them, and so is the memory that a control group
  /// counts. None (and `whyNone` says why) where a rank can't open what rank 0 has made: containers of their own, another user, no /proc.
  /// Requires `communicator.onOneHost()`. Errors: those of the communicator.
  static StatusOr<SharedMemory> create(Communicator &communicator, uint64_t bytes);
  SharedMemory() = default;
  SharedMemory(SharedMemory &&other) noexcept;
  SharedMemory &operator=(SharedMemory &&other) noexcept;
  ~SharedMemory();

  std::byte *data() const { return base; } ///< null: none
  bool holds(const void *address) const {
    auto at = static_cast<const std::byte *>(address);
    return base && at >= base && at < base + size;
  }
  const std::string &whyNone() const { return why; }

private:
  std::byte *base = nullptr;
  uint64_t size = 0;
  std::string why;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_SHARED_MEMORY_H
