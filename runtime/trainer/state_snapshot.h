// A copy of a rank's state as its shard's file will have it, so that it is written from where it lies, while the updates go on.
#ifndef ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H
#define ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H

#include "runtime/io/checkpoint_shards.h"
#include "runtime/memory/mapping.h"

namespace zp::rt {

class StateSnapshot {
public:
  /// Takes the memory for copies of so many bytes, and keeps it. False when this host hasn't what `ranksHere` of them need
  /// and some to spare.
  bool reserve(uint64_t bytes, int ranksHere);
  /// Copies the state, by `threads` threads, into what has been reserved for it.
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
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_STATE_SNAPSHOT_H
