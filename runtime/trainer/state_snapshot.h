// A copy of a rank's state as its shard's file will have it, so that it is written from where it lies, while the updates go on.
#ifndef ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H
#define ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H

#include "runtime/io/checkpoint_shards.h"
#include "runtime/memory/mapping.h"

namespace zp::rt {

class StateSnapshot {
public:
  /// Copies the state, by `threads` threads. False, and nothing is copied, when this host hasn't the memory for it: what
  /// `ranksHere` copies of that size take, and some to spare. The memory is kept for the next.
  bool take(ShardLayout layout, int threads, int ranksHere);

  /// Of the memory; 0 before the first.
  uint64_t bytes() const { return size; }
  /// The last copy's pieces, as f32.
  const std::vector<StatePiece> &pieces() const { return copied.pieces; }
  StatusOr<ManifestFile> write(const std::string &directory, const std::string &name) const;

private:
  Mapping memory;
  uint64_t size = 0;
  ShardLayout copied;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H
