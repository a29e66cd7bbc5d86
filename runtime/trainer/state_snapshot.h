// A copy of a rank's state as its shard's file will have it, so that it is written from where it lies, while the updates go on.
#ifndef ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H
#define ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H

#include <optional>

#include "runtime/io/checkpoint_shards.h"
#include "runtime/memory/mapping.h"

namespace zp::rt {

class StateSnapshot {
public:
  /// Whether this host has what `ranksHere` copies of so many bytes need, and some to spare. Every rank must ask before
  /// any rank reserves: what one has reserved would be counted against the next.
  static bool fits(uint64_t bytes, int ranksHere);
  /// Takes the memory for a copy of so many bytes, and keeps it; false when it can't be had.
  bool reserve(uint64_t bytes);
  /// Copies the state, by `threads` threads, into what has been reserved for it. With few threads, which memory keeps waiting,
  /// they make the file's checksum too while the bytes are at hand; many would wait for it, and whoever writes makes it.
  void take(ShardLayout layout, int threads);

  /// Of the memory; 0 before the first.
  uint64_t bytes() const { return size; }
  /// The last copy's pieces, as f32.
  const std::vector<StatePiece> &pieces() const { return copied.pieces; }
  StatusOr<ManifestFile> write(const std::string &directory, const std::string &name) const;

private:
  Mapping memory;
  uint64_t size = 0;
  ShardLayout copied;
  std::optional<uint64_t> checksum; ///< of the last copy
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H
