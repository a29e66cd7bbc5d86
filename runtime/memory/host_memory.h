// How much memory this process may have: the machine's, and what control groups leave of it.
#ifndef ZP_RUNTIME_MEMORY_HOST_MEMORY_H
#define ZP_RUNTIME_MEMORY_HOST_MEMORY_H

#include <cstdint>
#include <string>

namespace zp::rt {

/// Bytes that could be had now: the system's own account of it (page cache that can be given back included), and for each control group that
/// the process is in (versions 1 and 2, with all that lie above it) its limit less what it holds that is no file's. `root`: where /proc and
/// /sys are, for tests.
uint64_t availableHostBytes(const std::string &root = "");

/// Bytes that the process could have if nobody else ran: the machine's memory, or the least limit of a control group.
uint64_t hostMemoryLimit(const std::string &root = "");

} // namespace zp::rt

#endif // ZP_RUNTIME_MEMORY_HOST_MEMORY_H
