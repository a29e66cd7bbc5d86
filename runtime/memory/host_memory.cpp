#include "runtime/memory/host_memory.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <string_view>

namespace zp::rt {
namespace {

/// How a version of control groups calls things.
struct Groups {
  const char *mount, *limit;
  std::initializer_list<std::string_view> held; ///< of memory.stat: anonymous memory and shared, of the group and those below it
};
const Groups kSecond{"/sys/fs/cgroup", "memory.max", {"anon", "shmem"}};
const Groups kFirst{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", {"total_rss", "total_shmem"}};

/// visit(limit, held) for a group and each above it that has a limit. What the container sees of its group is often the mount itself, whatever
/// name it has outside.
template <typename Visit> void eachLimit(const std::string &root, const Groups &groups, std::string name, const Visit &visit) {
  if (name.find("..") != std::string::npos)
    name.clear();
  for (;; name.resize(name.rfind('/'))) {
    while (name.ends_with('/'))
      name.pop_back();
    const std::string folder = root + groups.mount + name + "/";
    if (uint64_t limit; std::ifstream(folder + groups.limit) >> limit) { // "max" is no number
      uint64_t held = 0;
      std::ifstream stat(folder + "memory.stat");
      std::string key;
      for (uint64_t value; stat >> key >> value;)
        if (std::find(groups.held.begin(), groups.held.end(), key) != groups.held.end())
          held += value;
      visit(limit, held);
    }
    if (name.find('/') == std::string::npos)
      return;
  }
}

template <typename Visit> void eachLimit(const std::string &root, const Visit &visit) {
  std::ifstream lines(root + "/proc/self/cgroup"); // NUMBER:CONTROLLERS:NAME, version 2 without controllers
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",", name = line.substr(second + 1);
    if (controllers == ",,")
      eachLimit(root, kSecond, name, visit);
    else if (controllers.find(",memory,") != std::string::npos)
      eachLimit(root, kFirst, name, visit);
  }
}

/// Of /proc/meminfo, in bytes; UINT64_MAX when it isn't there.
uint64_t meminfo(const std::string &root, std::string_view wanted) {
  std::ifstream in(root + "/proc/meminfo");
  std::string name;
  while (in >> name) {
    if (uint64_t kilobytes; name == wanted && in >> kilobytes)
      return kilobytes * 1024;
    in.ignore(1 << 20, '\n');
  }
  return UINT64_MAX;
}

} // namespace

uint64_t availableHostBytes(const std::string &root) {
  uint64_t available = meminfo(root, "MemAvailable:");
  eachLimit(root, [&](uint64_t limit, uint64_t held) { available = std::min(available, limit > held ? limit - held : 0); });
  return available;
}

uint64_t hostMemoryLimit(const std::string &root) {
  uint64_t limit = meminfo(root, "MemTotal:");
  eachLimit(root, [&](uint64_t group, uint64_t) { limit = std::min(limit, group); });
  return limit;
}

} // namespace zp::rt
