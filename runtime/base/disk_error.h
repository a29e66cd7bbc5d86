// What the system says of a disk, as an error of ours.
#ifndef ZP_RUNTIME_BASE_DISK_ERROR_H
#define ZP_RUNTIME_BASE_DISK_ERROR_H

#include <string>

#include "runtime/base/status.h"

namespace zp {

/// Whether an errno means that there is no room: the disk's, the user's quota, the process's limit on a file.
bool isDiskFull(int error);

/// DiskFull where there is no room, else DiskWrite: "PLACE: cannot be DOING (WHY), expected EXPECTED; FIX", or with another FIX where it is full.
Status diskError(const std::string &place, const std::string &doing, int error, const std::string &expected = "a place where files can be written",
                 const std::string &fix = "check its path and permissions", const std::string &fixOfFull = "free space or name another place");

} // namespace zp

#endif // ZP_RUNTIME_BASE_DISK_ERROR_H
