#include "runtime/collective/shared_memory.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <vector>

#include "runtime/collective/nameless_file.h"

namespace zp::rt {
namespace {

/// How a peer finds a file without a name, and knows it.
struct Invitation {
  int64_t process = 0, descriptor = -1;
  uint64_t device = 0, inode = 0;
};
static_assert(std::is_trivially_copyable_v<Invitation>);

class Descriptor {
public:
  explicit Descriptor(int fd) : fd(fd) {}
  Descriptor(const Descriptor &) = delete;
  ~Descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
  int get() const { return fd; }

private:
  int fd;
};

/// -1, with errno.
int makeFile(uint64_t bytes) {
  int fd = makeNamelessFile("zp-shared");
  if (fd >= 0 && ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    int error = errno;
    ::close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

Invitation invitationTo(int fd) {
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0)
    return {};
  return {::getpid(), fd, info.st_dev, info.st_ino};
}

/// -1, with errno. In another namespace the number may be another process's: its file is looked at before it is opened.
int openInvited(const Invitation &invitation, uint64_t bytes) {
  const std::string path = "/proc/" + std::to_string(invitation.process) + "/fd/" + std::to_string(invitation.descriptor);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return -1;
  if (!S_ISREG(info.st_mode) || info.st_dev != invitation.device || info.st_ino != invitation.inode || static_cast<uint64_t>(info.st_size) != bytes) {
    errno = ESRCH;
    return -1;
  }
  return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
}

} // namespace

StatusOr<SharedMemory> SharedMemory::create(Communicator &communicator, uint64_t bytes) {
  SharedMemory memory;
  if (bytes == 0)
    return memory;
  const auto ranks = static_cast<size_t>(communicator.size());
  const bool makes = communicator.rank() == 0;
  std::vector<Invitation> invitations(ranks);
  const Descriptor made(makes ? makeFile(bytes) : -1);
  const Invitation own = invitationTo(made.get());
  ZP_RETURN_IF_ERROR(communicator.allGather(&own, invitations.data(), sizeof own));

  const Descriptor opened(makes ? -1 : openInvited(invitations.front(), bytes));
  const int fd = makes ? made.get() : opened.get();
  void *address = fd < 0 ? MAP_FAILED : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  const int error = errno;
  if (address != MAP_FAILED) {
    memory.base = static_cast<std::byte *>(address);
    memory.size = bytes;
  }
  // Rank 0's descriptor is the file's only name until everyone has come by.
  double without = memory.base ? 0 : 1;
  ZP_RETURN_IF_ERROR(communicator.allReduce(&without, 1, DType::F64));
  if (without == 0)
    return memory;
  SharedMemory none;
  none.why = memory.base ? "another rank cannot map it" : std::string("rank ") + std::to_string(communicator.rank()) + ": " + std::strerror(error);
  return none;
}

SharedMemory::SharedMemory(SharedMemory &&other) noexcept
    : base(std::exchange(other.base, nullptr)), size(std::exchange(other.size, 0)), why(std::move(other.why)) {}

SharedMemory &SharedMemory::operator=(SharedMemory &&other) noexcept {
  std::swap(base, other.base);
  std::swap(size, other.size);
  std::swap(why, other.why);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (base)
    ::munmap(base, size);
}

} // namespace zp::rt
