#include "runtime/base/disk_error.h"

#include <cerrno>
#include <cstring>

namespace zp {

bool isDiskFull(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

Status diskError(const std::string &place, const std::string &doing, int error, const std::string &expected, const std::string &fix,
                 const std::string &fixOfFull) {
  const bool full = isDiskFull(error);
  return Status(full ? ErrorCode::DiskFull : ErrorCode::DiskWrite,
                place + ": cannot be " + doing + " (" + std::strerror(error) + "), expected " + expected + "; " + (full ? fixOfFull : fix));
}

} // namespace zp
