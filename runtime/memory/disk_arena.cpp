#include "runtime/memory/disk_arena.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/magic.h>
#include <mutex>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

#include "runtime/base/checked_math.h"
#include "runtime/base/disk_error.h"
#include "runtime/memory/disk_queue.h"

namespace zp::rt {
namespace {

constexpr uint64_t kPiece = 512 << 10;
constexpr int kChannels = 2; // the stream of transfers and that of the kernels

Status offloadError(const std::string &directory, const char *doing, int error) {
  const char *fix = "name one with --nvme_path";
  return diskError(directory + ": offload file", doing, error, "a directory with room on a local disk", fix, fix);
}

/// Memory by another name takes O_DIRECT and keeps the bytes where they were.
bool isMemory(int file) {
  struct statfs info;
  return ::fstatfs(file, &info) == 0 && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}

struct Free {
  void operator()(void *memory) const { std::free(memory); }
};

} // namespace

/// A queue with a place of aligned memory for each transfer under way. One thread at a time.
class DiskArena::Channel {
public:
  explicit Channel(bool needsAlignment) : queue(createRingQueue()) {
    if (!queue)
      queue = createSerialQueue();
    if (needsAlignment)
      places.reset(static_cast<uint8_t *>(std::aligned_alloc(kDiskBlock, DiskQueue::kDepth * kPiece)));
  }

  /// 0 or the errno of the first piece that failed; then no piece is under way any more. EINVAL: `file` can't be had so.
  int transfer(bool writing, int file, bool direct, uint64_t offset, uint8_t *memory, uint64_t bytes) {
    uint64_t begun = 0;
    uint32_t underWay = 0;
    int error = 0;
    auto begin = [&](uint32_t slot) {
      uint64_t here = std::min(kPiece, bytes - begun);
      pieces[slot] = {memory + begun, offset + begun, here, 0, nullptr};
      begun += here;
      prepare(slot, writing, direct);
      launch(slot, writing, file, direct);
      ++underWay;
    };
    for (uint32_t slot = 0; slot < DiskQueue::kDepth && begun < bytes; ++slot)
      begin(slot);
    while (underWay > 0) {
      DiskCompletion completion = queue->next();
      Piece &piece = pieces[completion.tag];
      if (completion.result == -EINTR || completion.result == -EAGAIN)
        completion.result = 0;
      else if (completion.result >= 0 && completion.result < (direct ? static_cast<int64_t>(kDiskBlock) : 1))
        completion.result = -EIO; // the file ends before it should
      if (completion.result < 0) {
        error = error ? error : static_cast<int>(-completion.result);
        --underWay;
        continue;
      }
      // The rest of a block comes with the next call.
      piece.done += direct ? static_cast<uint64_t>(completion.result) / kDiskBlock * kDiskBlock : static_cast<uint64_t>(completion.result);
      if (piece.done < piece.bytes && !error) {
        launch(completion.tag, writing, file, direct);
        continue;
      }
      if (!writing && piece.bounce && !error)
        std::memcpy(piece.memory, piece.bounce, piece.bytes);
      --underWay;
      if (begun < bytes && !error)
        begin(completion.tag);
    }
    return error;
  }

  const DiskQueue &transfers() const { return *queue; }
  std::mutex mutex;

private:
  struct Piece {
    uint8_t *memory;
    uint64_t offset, bytes, done;
    uint8_t *bounce; ///< where its bytes pass through, or null
  };

  /// Direct transfers want whole blocks in aligned memory: what isn't so already passes through the slot's place.
  void prepare(uint32_t slot, bool writing, bool direct) {
    Piece &piece = pieces[slot];
    if (!direct || (reinterpret_cast<uintptr_t>(piece.memory) % kDiskBlock == 0 && piece.bytes % kDiskBlock == 0))
      return;
    piece.bounce = places.get() + slot * kPiece;
    if (!writing)
      return;
    std::memcpy(piece.bounce, piece.memory, piece.bytes);
    std::memset(piece.bounce + piece.bytes, 0, alignUp(piece.bytes, kDiskBlock) - piece.bytes);
  }

  void launch(uint32_t slot, bool writing, int file, bool direct) {
    const Piece &piece = pieces[slot];
    // Whole blocks: the buffer on disk has them, what is beyond its end is nobody's.
    const uint64_t length = (direct ? alignUp(piece.bytes, kDiskBlock) : piece.bytes) - piece.done;
    uint8_t *from = piece.bounce ? piece.bounce : piece.memory;
    queue->start(slot, {writing, file, from + piece.done, static_cast<uint32_t>(length), piece.offset + piece.done});
  }

  std::unique_ptr<DiskQueue> queue;
  std::unique_ptr<uint8_t, Free> places;
  std::array<Piece, DiskQueue::kDepth> pieces{};
};

StatusOr<DiskArena> DiskArena::create(const std::string &directory, uint64_t bytes) {
  if (directory.empty())
    return Status(ErrorCode::Config, "nvme_path: is empty, expected a directory for what the plan offloads to nvme; give --nvme_path DIR");
  DiskArena arena;
  arena.directory = directory;
  // A name to open it by twice, gone before anything can fail.
  std::string name = directory + "/.zeroplan-offload-XXXXXX";
  arena.file = ::mkostemp(name.data(), O_CLOEXEC);
  if (arena.file < 0)
    return offloadError(directory, "made", errno);
  if (!isMemory(arena.file))
    arena.directFile = ::open(name.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  ::unlink(name.c_str());
  if (int failure = ::posix_fallocate(arena.file, 0, static_cast<off_t>(alignUp(bytes, kDiskBlock))))
    return offloadError(directory, "given its size", failure);
  for (int i = 0; i < kChannels; ++i)
    arena.channels.push_back(std::make_unique<Channel>(arena.direct()));
  return arena;
}

DiskArena::DiskArena() = default;

DiskArena::DiskArena(DiskArena &&other) noexcept
    : directory(std::move(other.directory)), file(std::exchange(other.file, -1)), directFile(std::exchange(other.directFile, -1)),
      channels(std::move(other.channels)) {}

DiskArena &DiskArena::operator=(DiskArena &&other) noexcept {
  std::swap(directory, other.directory);
  std::swap(file, other.file);
  std::swap(directFile, other.directFile);
  std::swap(channels, other.channels);
  return *this;
}

DiskArena::~DiskArena() {
  channels.clear();
  for (int descriptor : {file, directFile})
    if (descriptor >= 0)
      ::close(descriptor);
}

std::string DiskArena::engine() const { return channels.empty() ? "" : channels[0]->transfers().name(); }

std::string DiskArena::notice() const {
  if (file < 0 || direct())
    return {};
  return directory + ": takes no direct transfers (O_DIRECT), so what is offloaded to nvme passes through memory that the plan doesn't count; "
                     "name a directory on a local disk with --nvme_path";
}

Status DiskArena::transfer(bool writing, uint64_t offset, uint8_t *memory, uint64_t bytes) const {
  std::unique_lock<std::mutex> lock;
  Channel *channel = channels[0].get();
  for (const auto &candidate : channels)
    if (lock = std::unique_lock(candidate->mutex, std::try_to_lock); lock.owns_lock()) {
      channel = candidate.get();
      break;
    }
  if (!lock.owns_lock())
    lock = std::unique_lock(channel->mutex);
  const bool aligned = direct() && offset % kDiskBlock == 0;
  int error = channel->transfer(writing, aligned ? directFile : file, aligned, offset, memory, bytes);
  if (error == EINVAL && aligned) // opened, but not carried out, on some file systems
    error = channel->transfer(writing, file, false, offset, memory, bytes);
  return error ? offloadError(directory, writing ? "written" : "read", error) : Status();
}

Status DiskArena::read(uint64_t offset, void *target, uint64_t bytes) const { return transfer(false, offset, static_cast<uint8_t *>(target), bytes); }
Status DiskArena::write(uint64_t offset, const void *source, uint64_t bytes) const {
  return transfer(true, offset, const_cast<uint8_t *>(static_cast<const uint8_t *>(source)), bytes);
}

} // namespace zp::rt
