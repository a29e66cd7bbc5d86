#include "runtime/device/cuda/emulated/locked_memory.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>

namespace zp::rt::cuda::emulated {

static constexpr uint64_t kPage = 4096; // one before the memory says how much there is

/// Locking is held to the system's limit here, which a driver isn't.
static std::string limitText() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return "";
  return "; the limit on locked memory is " + std::to_string(limit.rlim_cur) + " bytes";
}

StatusOr<void *> allocateLocked(uint64_t bytes) {
  if (bytes == 0)
    return static_cast<void *>(nullptr);
  const uint64_t whole = kPage + (bytes + kPage - 1) / kPage * kPage;
  void *pages = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto *memory = pages == MAP_FAILED ? nullptr : static_cast<unsigned char *>(pages) + kPage;
  if (!memory || ::mlock(memory, whole - kPage) != 0) {
    const std::string reason = std::strerror(errno) + limitText();
    if (memory)
      ::munmap(pages, whole);
    return Status(ErrorCode::HostMemory, "memory: " + std::to_string(bytes) + " bytes for an emulated device cannot be locked (" + reason +
                                             "), expected that they can be; raise the limit with ulimit -l");
  }
  std::memcpy(pages, &whole, sizeof whole);
  std::memset(memory, 0xff, bytes);
  return static_cast<void *>(memory);
}

void freeLocked(void *memory) {
  if (!memory)
    return;
  void *pages = static_cast<unsigned char *>(memory) - kPage;
  uint64_t whole = 0;
  std::memcpy(&whole, pages, sizeof whole);
  ::munmap(pages, whole);
}

} // namespace zp::rt::cuda::emulated
