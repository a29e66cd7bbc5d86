#include "runtime/base/text_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace zp {

StatusOr<std::string> readTextFile(const std::string &path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  char piece[1 << 16];
  ssize_t n = file < 0 ? -1 : 0;
  while (file >= 0 && ((n = ::read(file, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR)))
    text.append(piece, n > 0 ? static_cast<size_t>(n) : 0);
  const int error = errno;
  if (file >= 0)
    ::close(file);
  if (n == 0)
    return text;
  return Status(ErrorCode::FileMissing, path + ": cannot be read (" + std::strerror(error) + "), expected a file; check the path");
}

} // namespace zp
