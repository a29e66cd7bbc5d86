// Anonymous memory straight from the system: zeroed, page-aligned, given back whole.
#ifndef ZP_RUNTIME_MEMORY_MAPPING_H
#define ZP_RUNTIME_MEMORY_MAPPING_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

inline constexpr uint64_t kPageBytes = 4096;

class Mapping {
public:
  /// `what` names the memory in the error (HostMemory). 0 bytes: an empty mapping.
  static StatusOr<Mapping> create(uint64_t bytes, const std::string &what);
  Mapping() = default;
  Mapping(Mapping &&other) noexcept;
  Mapping &operator=(Mapping &&other) noexcept;
  ~Mapping();

  /// Has the system give the pages now, rather than when each is first touched. Keeps what they hold; nobody else writes meanwhile.
  void populate();

  uint8_t *data() const { return base; }
  uint64_t bytes() const { return size; }
  /// Makes [offset, offset+bytes), whole pages, untouchable.
  Status protect(uint64_t offset, uint64_t length);

private:
  uint8_t *base = nullptr;
  uint64_t size = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_MEMORY_MAPPING_H
