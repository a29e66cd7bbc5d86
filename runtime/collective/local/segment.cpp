#include "runtime/collective/local/segment.h"

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "runtime/base/checked_math.h"
#include "runtime/collective/nameless_file.h"

namespace zp::rt {

constexpr uint64_t kMagic = 0x31474553504f525a; // "ZROPSEG1"

struct Segment::Header {
  uint64_t magic;
  int32_t size;
  std::atomic<int32_t> failed; // rank + 1
  Rank rank[kMostRanks];
};

static size_t slotsOffset(size_t headerBytes) { return alignUp(headerBytes, 4096); }

static Status failure(const std::string &doing) {
  int error = errno;
  bool memory = error == ENOMEM || error == ENOSPC;
  return Status(memory ? ErrorCode::HostMemory : ErrorCode::Network, "shared memory: cannot be " + doing + " (" + std::strerror(error) +
                                                                         "), expected room in /dev/shm for the ranks' exchange; enlarge it");
}

static bool setLock(int fd, int rank) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = rank;
  lock.l_len = 1;
  return ::fcntl(fd, F_SETLK, &lock) == 0;
}

Status Segment::map(int ranks, bool create) {
  bytes = slotsOffset(sizeof(Header)) + static_cast<size_t>(ranks) * slotStride();
  if (create && ::ftruncate(fd, static_cast<off_t>(bytes)) != 0)
    return failure("sized");
  // Pages come when a rank first writes its slot; without room there the kernel would kill it.
  if (create)
    if (int error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes))) {
      errno = error;
      return failure("allocated");
    }
  void *address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED)
    return failure("mapped");
  header = static_cast<Header *>(address);
  if (create) { // fresh pages are zero: every atomic is at its start
    header->size = ranks;
    header->magic = kMagic;
  }
  return {};
}

StatusOr<Segment> Segment::createAnonymous(int ranks) {
  Segment segment;
  segment.fd = makeNamelessFile("zp-ranks");
  if (segment.fd < 0)
    return failure("made");
  ZP_RETURN_IF_ERROR(segment.map(ranks, true));
  return segment;
}

StatusOr<Segment> Segment::createNamed(const std::string &path, int ranks) {
  Segment segment;
  std::string temporary = path + "." + std::to_string(::getpid());
  ::unlink(temporary.c_str());
  segment.fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (segment.fd < 0)
    return failure("made at " + temporary);
  Status status = segment.map(ranks, true);
  if (status.ok())
    status = segment.join(0);
  // The name shows it whole and with its owner alive, or not at all.
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    status = failure("named " + path);
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return segment;
}

StatusOr<Segment> Segment::openNamed(const std::string &path, int ranks, double timeoutSeconds) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeoutSeconds);
  const size_t expected = slotsOffset(sizeof(Header)) + static_cast<size_t>(ranks) * slotStride();
  while (true) {
    Segment segment;
    segment.fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat info {};
    const bool found = segment.fd >= 0 && ::fstat(segment.fd, &info) == 0;
    // Names can be guessed, and gradients are nobody else's.
    if ((found && (info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)) || (segment.fd < 0 && errno == ELOOP))
      return Status(ErrorCode::Network,
                    path + ": is not this user's alone, expected a segment that rank 0 has made; remove it, or have its owner remove it");
    if (found && static_cast<size_t>(info.st_size) == expected) {
      ZP_RETURN_IF_ERROR(segment.map(ranks, false));
      // One left by a job that is over has no owner.
      if (segment.header->magic == kMagic && segment.header->size == ranks && !segment.isGone(0) && segment.failedRank() < 0)
        return segment;
    }
    if (std::chrono::steady_clock::now() > deadline)
      return Status(ErrorCode::Network, "rank 0 did not open " + path + " within " + std::to_string(static_cast<int>(timeoutSeconds)) +
                                            " seconds, expected all ranks on this host and one WORLD_SIZE of " + std::to_string(ranks) +
                                            "; across hosts start zprun with mpirun");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Segment::Segment(Segment &&other) noexcept : header(std::exchange(other.header, nullptr)), fd(std::exchange(other.fd, -1)), bytes(other.bytes) {}

Segment::~Segment() {
  if (header)
    ::munmap(header, bytes);
  if (fd >= 0)
    ::close(fd);
}

int Segment::ranks() const { return header->size; }
Segment::Rank &Segment::rank(int index) const { return header->rank[index]; }
std::byte *Segment::slot(int rank, unsigned half) const {
  return reinterpret_cast<std::byte *>(header) + slotsOffset(sizeof(Header)) + static_cast<size_t>(rank) * slotStride() + (half & 1) * kSlotBytes;
}

Status Segment::join(int index) {
  if (!setLock(fd, index))
    return Status(ErrorCode::Network, "rank " + std::to_string(index) + ": another process is this rank already (" + std::strerror(errno) +
                                          "), expected ranks 0 to " + std::to_string(header->size - 1) +
                                          " each once; look at how the ranks are started");
  rank(index).joined.store(1);
  return {};
}

bool Segment::holdsLock(int index) const {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = index;
  lock.l_len = 1;
  return ::fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool Segment::isGone(int index) const { return rank(index).joined.load() != 0 && (rank(index).left.load() != 0 || !holdsLock(index)); }

bool Segment::hasDied(int index) const { // a rank says that it ends before its lock is free
  return rank(index).joined.load() != 0 && !holdsLock(index) && rank(index).left.load() == 0;
}

int Segment::failedRank() const { return header->failed.load() - 1; }

void Segment::markFailed(int index) {
  int32_t none = 0;
  header->failed.compare_exchange_strong(none, index + 1);
  for (int i = 0; i < header->size; ++i)
    wake(i);
}

void Segment::wake(int index) const {
  ::syscall(SYS_futex, reinterpret_cast<uint32_t *>(&rank(index).arrived), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void Segment::sleepOn(int index, uint32_t seen) const {
  timespec tenth{0, 100'000'000};
  rank(index).sleepers.fetch_add(1);
  ::syscall(SYS_futex, reinterpret_cast<uint32_t *>(&rank(index).arrived), FUTEX_WAIT, seen, &tenth, nullptr, 0);
  rank(index).sleepers.fetch_sub(1);
}

} // namespace zp::rt
