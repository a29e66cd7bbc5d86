#include "runtime/base/leftovers.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zp {

namespace fs = std::filesystem;

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Whoever removes leftovers may come between making and holding: it is theirs then, or gone already.
static bool hold(int fd) {
  struct stat info {};
  const bool theirs = ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  return !theirs && ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

/// Under the first number from this process's own that nobody has. `make` gives a descriptor.
template <typename Make> static Held makeHeld(const std::string &prefix, Make make) {
  for (int64_t number = ::getpid();; ++number) {
    const std::string path = prefix + std::to_string(number);
    const int fd = make(path.c_str());
    if (fd >= 0 && hold(fd))
      return {path, fd};
    if (fd >= 0)
      ::close(fd);
    else if (errno != EEXIST)
      return {path, fd};
  }
}

Held makeHeldFile(const std::string &prefix) {
  return makeHeld(prefix, [](const char *path) { return ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644); });
}

Held makeHeldFolder(const std::string &prefix) {
  return makeHeld(prefix, [](const char *path) {
    if (::mkdir(path, 0755) != 0)
      return -1;
    const int fd = ::open(path, kFolder);
    if (fd < 0 && errno == ENOENT) // removed as left behind
      errno = EEXIST;
    return fd;
  });
}

/// Whether `name` is `stem` and a number.
static bool isNumbered(const std::string &name, const std::string &stem) {
  return name.size() > stem.size() && name.starts_with(stem) && name.find_first_not_of("0123456789", stem.size()) == std::string::npos;
}

static void removeUnheld(const fs::path &path) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(path, ignored);
  if (!fs::is_regular_file(status) && !fs::is_directory(status)) // nothing that is made here
    return;
  const int fd = ::open(path.c_str(), fs::is_directory(status) ? kFolder : O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return;
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0)
    fs::remove_all(path, ignored);
  ::close(fd);
}

void removeLeftovers(const std::string &prefix) {
  const fs::path path(prefix);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string stem = path.filename().string();
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (isNumbered(it->path().filename().string(), stem))
      removeUnheld(it->path());
}

} // namespace zp
