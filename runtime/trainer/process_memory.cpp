#include "runtime/trainer/process_memory.h"

#include <algorithm>
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

static bool numberIn(const std::string &path, uint64_t &value) { return static_cast<bool>(std::ifstream(path) >> value); }

uint64_t residentOwnBytes() {
  uint64_t bytes;
  return sumOfKilobytes("/proc/self/status", {"RssAnon:", "RssShmem:"}, bytes) ? bytes : 0;
}

uint64_t availableBytes() {
  uint64_t available;
  if (!sumOfKilobytes("/proc/meminfo", {"MemAvailable:"}, available))
    available = UINT64_MAX;
  // In a container the group's limit counts too; what it holds as page cache can be given back, so it isn't subtracted.
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::"))
      continue;
    for (std::string folder : {"/sys/fs/cgroup" + line.substr(3), std::string("/sys/fs/cgroup")}) {
      uint64_t limit, anonymous = 0;
      if (!numberIn(folder + "/memory.max", limit))
        continue;
      std::ifstream stat(folder + "/memory.stat");
      std::string key;
      for (uint64_t value; stat >> key >> value;)
        if (key == "anon" || key == "shmem")
          anonymous += value;
      available = std::min(available, limit > anonymous ? limit - anonymous : 0);
      break;
    }
  }
  return available;
}

} // namespace zp::rt
