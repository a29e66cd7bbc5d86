#include "runtime/trainer/state_snapshot.h"

#include <algorithm>
#include <cstring>

#include "runtime/device/cpu/thread_pool.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/streamed_file.h"
#include "runtime/trainer/process_memory.h"

namespace zp::rt {

namespace {

constexpr uint64_t kSpared = 64 << 20; // bytes of the host that a snapshot leaves alone
constexpr uint64_t kPart = 1 << 19;    // elements that a thread takes at once

/// Elements [first, first + count) of a piece.
struct Part {
  size_t piece;
  uint64_t first, count;
};

std::vector<Part> partsOf(const std::vector<StatePiece> &pieces) {
  std::vector<Part> parts;
  for (size_t piece = 0; piece < pieces.size(); ++piece)
    for (uint64_t done = 0; done < pieces[piece].count; done += kPart)
      parts.push_back({piece, done, std::min(kPart, pieces[piece].count - done)});
  return parts;
}

} // namespace

bool StateSnapshot::reserve(uint64_t bytes, int ranksHere) {
  if (bytes <= size)
    return true;
  if (availableBytes() / static_cast<uint64_t>(std::max(ranksHere, 1)) < bytes + kSpared)
    return false;
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
  std::vector<std::byte *> targets;
  for (const StatePiece &piece : layout.pieces) {
    targets.push_back(at);
    at += bytesOf(DType::F32, piece.count);
  }
  const std::vector<Part> parts = partsOf(layout.pieces);
  ThreadPool pool(std::max(threads, 1));
  pool.run(static_cast<int64_t>(parts.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Part &part = parts[static_cast<size_t>(i)];
      const StatePiece &piece = layout.pieces[part.piece];
      convertElements(piece.data + bytesOf(piece.dtype, part.first), piece.dtype, targets[part.piece] + bytesOf(DType::F32, part.first), DType::F32,
                      part.count);
    }
  });
  for (size_t i = 0; i < targets.size(); ++i) {
    layout.pieces[i].data = targets[i];
    layout.pieces[i].dtype = DType::F32;
  }
  copied = std::move(layout);
}

StatusOr<ManifestFile> StateSnapshot::write(const std::string &directory, const std::string &name) const {
  ZP_ASSIGN_OR_RETURN(StreamedFile file, StreamedFile::create(directory, name, copied.bytes));
  ZP_RETURN_IF_ERROR(file.append(memory.data(), copied.bytes));
  return file.commit();
}

} // namespace zp::rt
