// The pool of a plan's shards on this host: buffers that lie there instead of in their rank's arena.
#ifndef ZP_RUNTIME_EXECUTOR_POOLED_MEMORY_H
#define ZP_RUNTIME_EXECUTOR_POOLED_MEMORY_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"
#include "runtime/collective/communicator.h"
#include "runtime/collective/shared_memory.h"
#include "runtime/plan/pooled_shards.h"

namespace zp::rt {

class PooledMemory {
public:
  /// A collective: all ranks have the pool or none does. None of a rank alone, of ranks of several hosts, and where shared memory can't be
  /// had (`notice` says so). Errors: those of the communicator.
  static StatusOr<PooledMemory> create(const fbs::Plan &plan, Communicator &communicator);
  PooledMemory() = default; ///< none

  /// Where a buffer of the plan begins; null for one that stays in its arena.
  void *buffer(uint32_t index) const { return memory.data() && pool.places[index] ? memory.data() + *pool.places[index] : nullptr; }
  /// Whether what a gather brings to `whole` is there already.
  bool holds(const void *whole) const { return memory.holds(whole); }
  /// Whether an entry must not begin before all ranks have come to it.
  bool isUsedBy(uint32_t entry) const { return memory.data() && pool.usedBy[entry]; }
  /// What the user should know; mostly nothing.
  std::string notice() const;

private:
  ShardPool pool;
  SharedMemory memory;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_POOLED_MEMORY_H
