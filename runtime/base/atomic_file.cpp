#include "runtime/base/atomic_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <utility>

#include "runtime/base/disk_block.h"
#include "runtime/base/disk_error.h"
#include "runtime/base/leftovers.h"
#include "runtime/base/link_target.h"

namespace zp {

constexpr const char *kTemporary = ".tmp"; ///< behind the final name, before a number

Status AtomicFile::failure(const char *doing, int error) const { return diskError(path, doing, error); }

/// What a rename would take away: a device, a pipe, a socket.
static bool isSpecial(const std::string &path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status);
}

StatusOr<AtomicFile> AtomicFile::create(const std::string &path) {
  if (isSpecial(path))
    return Status(ErrorCode::DiskWrite,
                  path + ": is a device or a pipe, expected the name of a file, which is written in any order; name another place");
  AtomicFile file;
  file.path = linkTarget(path);
  removeLeftovers(file.path + kTemporary);
  Held held = makeHeldFile(file.path + kTemporary);
  if (held.fd < 0)
    return file.failure("made", errno);
  file.temporary = std::move(held.path);
  file.fd = held.fd;
  return file;
}

AtomicFile::AtomicFile(AtomicFile &&other) noexcept
    : path(std::move(other.path)), temporary(std::exchange(other.temporary, {})), fd(std::exchange(other.fd, -1)),
      directFd(std::exchange(other.directFd, -1)), takesDirect(other.takesDirect) {}

AtomicFile &AtomicFile::operator=(AtomicFile &&other) noexcept {
  if (this != &other) {
    discard();
    path = std::move(other.path);
    temporary = std::exchange(other.temporary, {});
    fd = std::exchange(other.fd, -1);
    directFd = std::exchange(other.directFd, -1);
    takesDirect = other.takesDirect;
  }
  return *this;
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  for (int *descriptor : {&fd, &directFd})
    if (*descriptor >= 0)
      ::close(std::exchange(*descriptor, -1));
  if (!temporary.empty())
    ::unlink(std::exchange(temporary, {}).c_str());
}

Status AtomicFile::write(uint64_t offset, const void *data, uint64_t bytes) {
  const char *at = static_cast<const char *>(data);
  while (bytes > 0) {
    ssize_t n = ::pwrite(fd, at, bytes < (1u << 30) ? bytes : (1u << 30), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return failure("written", n < 0 ? errno : ENOSPC);
    at += n;
    offset += static_cast<uint64_t>(n);
    bytes -= static_cast<uint64_t>(n);
  }
  return {};
}

Status AtomicFile::writeDirect(uint64_t offset, const void *data, uint64_t bytes) {
  const char *at = static_cast<const char *>(data);
  if (takesDirect && directFd < 0)
    takesDirect = (directFd = ::open(temporary.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC)) >= 0;
  while (takesDirect && bytes >= kDiskBlock) {
    ssize_t n = ::pwrite(directFd, at, bytes < (1u << 30) ? bytes : (1u << 30), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno != EINVAL)
      return failure("written", errno);
    // EINVAL: opened so, but not written so, on some file systems. A part of a block is written again.
    const uint64_t whole = n < 0 ? 0 : static_cast<uint64_t>(n) / kDiskBlock * kDiskBlock;
    takesDirect = whole > 0;
    at += whole;
    offset += whole;
    bytes -= whole;
  }
  return write(offset, at, bytes);
}

Status AtomicFile::reserve(uint64_t bytes) {
  if (bytes == 0 || ::fallocate(fd, 0, 0, static_cast<off_t>(bytes)) == 0)
    return {};
  return isDiskFull(errno) ? failure("given its size", errno) : Status();
}

Status AtomicFile::commit() {
  if (::fsync(fd) != 0)
    return failure("synced", errno);
  if (directFd >= 0 && ::close(std::exchange(directFd, -1)) != 0)
    return failure("closed", errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) // still held: nobody takes it for left behind
    return failure("renamed into place", errno);
  temporary.clear();
  if (::close(std::exchange(fd, -1)) != 0)
    return failure("closed", errno);
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return syncDirectory(parent.empty() ? "." : parent);
}

Status syncDirectory(const std::string &path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) // one that may be written to and not read is synced by the system alone
    return errno == EACCES ? Status() : diskError(path, "opened", errno);
  const int error = ::fsync(directory) != 0 && errno != EINVAL ? errno : 0;
  ::close(directory);
  return error ? diskError(path, "synced", error) : Status();
}

/// From the first byte to the last, as a device or a pipe wants it.
static Status writeThrough(const std::string &path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return diskError(path, "opened", errno);
  Status status;
  while (!text.empty() && status.ok()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n > 0)
      text.remove_prefix(static_cast<size_t>(n));
    else if (n == 0 || errno != EINTR)
      status = diskError(path, "written", n == 0 ? ENOSPC : errno);
  }
  ::close(fd);
  return status;
}

Status checkWritable(const std::string &path) { return isSpecial(path) ? writeThrough(path, "") : AtomicFile::create(path).status(); }

Status writeFileAtomically(const std::string &path, std::string_view text) {
  if (isSpecial(path))
    return writeThrough(path, text);
  ZP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  ZP_RETURN_IF_ERROR(file.write(0, text.data(), text.size()));
  return file.commit();
}

Status makeWritableDirectory(const std::string &directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return diskError(directory, "made a directory", error.value());
  // Asking by doing: permissions, read-only mounts and quotas all answer.
  std::string probe = directory + "/.zp" + std::to_string(getpid());
  int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return diskError(directory, "written to", errno);
  ::close(fd);
  ::unlink(probe.c_str());
  return {};
}

} // namespace zp
