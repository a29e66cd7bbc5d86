#include "runtime/memory/disk_arena.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <unistd.h>
#include <utility>

#include "runtime/base/checked_math.h"

namespace zp::rt {
namespace {

constexpr uint64_t kChunk = 1 << 20; // of a direct transfer, by way of an aligned buffer

Status diskError(const std::string &directory, const char *doing) {
  bool full = errno == ENOSPC || errno == EDQUOT;
  return Status(full ? ErrorCode::DiskFull : ErrorCode::DiskWrite, directory + ": offload file cannot be " + doing + " (" + std::strerror(errno) +
                                                                       "), expected a directory with room on a local disk; name one with --nvme_path");
}

struct Free {
  void operator()(void *memory) const { std::free(memory); }
};

} // namespace

StatusOr<DiskArena> DiskArena::create(const std::string &directory, uint64_t bytes) {
  if (directory.empty())
    return Status(ErrorCode::Config, "nvme_path: is empty, expected a directory for what the plan offloads to nvme; give --nvme_path DIR");
  DiskArena arena;
  arena.directory = directory;
  // A name to open it by twice, gone before anything can fail.
  std::string name = directory + "/.zeroplan-offload-XXXXXX";
  arena.file = ::mkostemp(name.data(), O_CLOEXEC);
  if (arena.file < 0)
    return diskError(directory, "made");
  arena.directFile = ::open(name.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  ::unlink(name.c_str());
  if (int failure = ::posix_fallocate(arena.file, 0, static_cast<off_t>(alignUp(bytes, kDiskBlock)))) {
    errno = failure;
    return diskError(directory, "given its size");
  }
  return arena;
}

DiskArena::DiskArena(DiskArena &&other) noexcept
    : directory(std::move(other.directory)), file(std::exchange(other.file, -1)), directFile(std::exchange(other.directFile, -1)) {}

DiskArena &DiskArena::operator=(DiskArena &&other) noexcept {
  std::swap(directory, other.directory);
  std::swap(file, other.file);
  std::swap(directFile, other.directFile);
  return *this;
}

DiskArena::~DiskArena() {
  for (int descriptor : {file, directFile})
    if (descriptor >= 0)
      ::close(descriptor);
}

template <bool Writing> Status DiskArena::transfer(uint64_t offset, uint8_t *memory, uint64_t bytes) const {
  const bool aligned = direct() && offset % kDiskBlock == 0;
  std::unique_ptr<uint8_t, Free> bounce;
  if (aligned)
    bounce.reset(static_cast<uint8_t *>(std::aligned_alloc(kDiskBlock, kChunk)));
  for (uint64_t done = 0; done < bytes;) {
    uint64_t here = std::min(kChunk, bytes - done);
    // Whole blocks: the buffer on disk has them, what is beyond its end is nobody's.
    uint64_t length = bounce ? alignUp(here, kDiskBlock) : here;
    uint8_t *from = bounce ? bounce.get() : memory + done;
    int descriptor = bounce ? directFile : file;
    if (Writing && bounce) {
      std::memcpy(bounce.get(), memory + done, here);
      std::memset(bounce.get() + here, 0, length - here);
    }
    ssize_t moved = Writing ? ::pwrite(descriptor, from, length, static_cast<off_t>(offset + done))
                            : ::pread(descriptor, from, length, static_cast<off_t>(offset + done));
    if (moved < 0 && errno == EINTR)
      continue;
    if (moved < 0 && errno == EINVAL && bounce) { // opened, but not carried out, on some file systems
      bounce.reset();
      continue;
    }
    uint64_t got = moved < 0 ? 0 : std::min(here, static_cast<uint64_t>(moved));
    if (bounce && got < here)
      got = got / kDiskBlock * kDiskBlock; // the rest of a block comes with the next call
    if (got == 0) {
      if (moved >= 0)
        errno = EIO;
      return diskError(directory, Writing ? "written" : "read");
    }
    here = got;
    if (!Writing && bounce)
      std::memcpy(memory + done, bounce.get(), here);
    done += here;
  }
  return {};
}

Status DiskArena::read(uint64_t offset, void *target, uint64_t bytes) const { return transfer<false>(offset, static_cast<uint8_t *>(target), bytes); }
Status DiskArena::write(uint64_t offset, const void *source, uint64_t bytes) const {
  return transfer<true>(offset, const_cast<uint8_t *>(static_cast<const uint8_t *>(source)), bytes);
}

} // namespace zp::rt
