#include "runtime/trainer/state_snapshot.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <sched.h>

#include "runtime/base/spin.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/io/checksum.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/streamed_file.h"
#include "runtime/memory/host_memory.h"
#include "runtime/memory/stream_copy.h"

namespace zp::rt {

namespace {

constexpr uint64_t kSpared = 64 << 20; // bytes of the host that a snapshot leaves alone
constexpr uint64_t kBlock = 1 << 15;   // elements that a thread takes at once; their bytes stay in a core's cache
constexpr int kFewThreads = 4;         // that copy no faster than one of them after the other can make a checksum
constexpr int kSpinRounds = 2000;

/// Elements of a piece that lie behind one another in the file.
struct Block {
  const std::byte *source;
  DType dtype;
  std::byte *target;
  uint64_t count;
};

std::vector<Block> blocksOf(const std::vector<StatePiece> &pieces, std::byte *target) {
  std::vector<Block> blocks;
  for (const StatePiece &piece : pieces)
    for (uint64_t done = 0; done < piece.count; done += kBlock) {
      const uint64_t count = std::min(kBlock, piece.count - done);
      blocks.push_back({piece.data + bytesOf(piece.dtype, done), piece.dtype, target, count});
      target += bytesOf(DType::F32, count);
    }
  return blocks;
}

/// Threads take blocks in the file's order, and add them to the checksum in that order: each waits for the one before, which
/// another thread is at already.
class Copying {
public:
  Copying(std::vector<Block> blocks, Checksum *checksum) : blocks(std::move(blocks)), checksum(checksum) {}

  void work() {
    std::vector<float> floats;
    for (size_t i; (i = next.fetch_add(1)) < blocks.size();) {
      const Block &block = blocks[i];
      const std::byte *from = block.source;
      if (block.dtype != DType::F32) {
        floats.resize(kBlock);
        convertElements(block.source, block.dtype, floats.data(), DType::F32, block.count);
        from = reinterpret_cast<const std::byte *>(floats.data());
      }
      const uint64_t bytes = bytesOf(DType::F32, block.count);
      streamCopy(block.target, from, bytes);
      if (checksum)
        add(i, from, bytes);
    }
  }

private:
  void add(size_t i, const std::byte *from, uint64_t bytes) {
    while (!spinUntil([&] { return added.load(std::memory_order_acquire) == i; }, kSpinRounds))
      sched_yield();
    checksum->add(from, bytes);
    added.store(i + 1, std::memory_order_release);
  }

  const std::vector<Block> blocks;
  Checksum *checksum; // null: nobody makes one here
  alignas(64) std::atomic<size_t> next{0};
  alignas(64) std::atomic<size_t> added{0};
};

} // namespace

bool StateSnapshot::fits(uint64_t bytes, int ranksHere) {
  return availableHostBytes() / static_cast<uint64_t>(std::max(ranksHere, 1)) >= bytes + kSpared;
}

bool StateSnapshot::reserve(uint64_t bytes) {
  if (bytes <= size)
    return true;
  StatusOr<Mapping> room = Mapping::create(bytes, "checkpoint's copy of the state");
  if (!room.ok())
    return false;
  memory = std::move(*room);
  memory.populate();
  size = bytes;
  return true;
}

void StateSnapshot::take(ShardLayout layout, int threads) {
  auto *at = reinterpret_cast<std::byte *>(memory.data());
  std::memcpy(at, layout.header.data(), layout.header.size());
  at += layout.header.size();
  Checksum sum;
  sum.add(layout.header.data(), layout.header.size());
  const bool summed = threads <= kFewThreads;
  Copying copying(blocksOf(layout.pieces, at), summed ? &sum : nullptr);
  ThreadPool pool(std::max(threads, 1));
  pool.run(pool.threads(), 1, [&](int64_t, int64_t) { copying.work(); });
  checksum = summed ? std::optional(sum.value()) : std::nullopt;
  for (StatePiece &piece : layout.pieces) {
    piece.data = at;
    piece.dtype = DType::F32;
    at += bytesOf(DType::F32, piece.count);
  }
  copied = std::move(layout);
}

StatusOr<ManifestFile> StateSnapshot::write(const std::string &directory, const std::string &name) const {
  ZP_ASSIGN_OR_RETURN(StreamedFile file, StreamedFile::create(directory, name, copied.bytes, checksum));
  ZP_RETURN_IF_ERROR(file.append(memory.data(), copied.bytes));
  return file.commit();
}

} // namespace zp::rt
