#include "runtime/memory/mapping.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "runtime/base/checked_math.h"

namespace zp::rt {

constexpr uint64_t kHugePage = uint64_t{2} << 20;

StatusOr<Mapping> Mapping::create(uint64_t bytes, const std::string &what) {
  Mapping mapping;
  if (bytes == 0)
    return mapping;
  uint64_t size = alignUp(bytes, kPageBytes);
  // Large ones begin at a huge page: asked for with room to spare, the spare given back.
  uint64_t spare = size >= 4 * kHugePage ? kHugePage : 0;
  void *address = ::mmap(nullptr, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    return Status(ErrorCode::HostMemory, what + ": " + std::to_string(bytes) + " bytes cannot be had (" + std::strerror(errno) +
                                             "), expected a machine with room for them; use more ranks on more machines, or a smaller batch");
  auto begin = reinterpret_cast<uint64_t>(address), aligned = spare ? alignUp(begin, kHugePage) : begin;
  if (aligned > begin)
    ::munmap(address, aligned - begin);
  if (uint64_t tail = begin + size + spare - (aligned + size))
    ::munmap(reinterpret_cast<void *>(aligned + size), tail);
  mapping.base = reinterpret_cast<uint8_t *>(aligned);
  mapping.size = size;
  if (spare)
    ::madvise(mapping.base, size, MADV_HUGEPAGE);
  return mapping;
}

void Mapping::populate() {
  if (size == 0 || ::madvise(base, size, MADV_POPULATE_WRITE) == 0)
    return;
  for (uint64_t at = 0; at < size; at += kPageBytes) { // a kernel before 5.14
    volatile uint8_t &first = base[at];
    first = first; // a page may hold something already
  }
}

Mapping::Mapping(Mapping &&other) noexcept : base(std::exchange(other.base, nullptr)), size(std::exchange(other.size, 0)) {}

Mapping &Mapping::operator=(Mapping &&other) noexcept {
  std::swap(base, other.base);
  std::swap(size, other.size);
  return *this;
}

Mapping::~Mapping() {
  if (base)
    ::munmap(base, size);
}

Status Mapping::protect(uint64_t offset, uint64_t length) {
  if (::mprotect(base + offset, length, PROT_NONE) != 0)
    return Status(ErrorCode::HostMemory, std::string("guard page: cannot be made (") + std::strerror(errno) +
                                             "), expected fewer mappings than the system's limit; raise vm.max_map_count");
  return {};
}

} // namespace zp::rt
