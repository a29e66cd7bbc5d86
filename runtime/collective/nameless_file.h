// Memory as a file that has no name: only who is handed its descriptor has it.
#ifndef ZP_RUNTIME_COLLECTIVE_NAMELESS_FILE_H
#define ZP_RUNTIME_COLLECTIVE_NAMELESS_FILE_H

#include <cerrno>
#include <sys/mman.h>

namespace zp::rt {

/// A descriptor that no program started from here inherits; -1, with errno. `what` shows in /proc/PID/maps.
inline int makeNamelessFile(const char *what) {
  constexpr unsigned kNeverRun = 8; // MFD_NOEXEC_SEAL, which some systems insist on: since Linux 6.3
  const int fd = ::memfd_create(what, MFD_CLOEXEC | kNeverRun);
  return fd < 0 && errno == EINVAL ? ::memfd_create(what, MFD_CLOEXEC) : fd;
}

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_NAMELESS_FILE_H
