#include "runtime/trainer/process_memory.h"

#include <fstream>
#include <initializer_list>
#include <string>

namespace zp::rt {

/// Adds up "Name:  n kB" lines of a /proc file; false when none was there.
static bool sumOfKilobytes(const char *path, std::initializer_list<const char *> names, uint64_t &bytes) {
  std::ifstream in(path);
  std::string name;
  bool found = false;
  bytes = 0;
  while (in >> name) {
    for (const char *wanted : names) {
      uint64_t kilobytes;
      if (name == wanted && in >> kilobytes) {
        bytes += kilobytes * 1024;
        found = true;
      }
    }
    in.ignore(1 << 20, '\n');
  }
  return found;
}

uint64_t residentOwnBytes() {
  uint64_t bytes;
  if (sumOfKilobytes("/proc/self/smaps_rollup", {"Pss_Anon:", "Pss_Shmem:"}, bytes)) // since Linux 5.9
    return bytes;
  return sumOfKilobytes("/proc/self/status", {"RssAnon:", "RssShmem:"}, bytes) ? bytes : 0;
}

} // namespace zp::rt
