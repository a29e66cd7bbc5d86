// Where a rank finds what the ranks of its host have already: buffers that lie elsewhere than in their own place of the arena.
#ifndef ZP_RUNTIME_EXECUTOR_IN_PLACE_MEMORY_H
#define ZP_RUNTIME_EXECUTOR_IN_PLACE_MEMORY_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"
#include "runtime/collective/communicator.h"
#include "runtime/collective/shared_memory.h"
#include "runtime/memory/plan_memory.h"
#include "runtime/plan/read_in_place.h"

namespace zp::rt {

class InPlaceMemory {
public:
  /// A collective: all ranks have a pool or none does. None of a rank alone, of ranks of several hosts, and where shared memory can't be
  /// had (`notice` says so). Errors: those of the communicator.
  static StatusOr<InPlaceMemory> create(const fbs::Plan &plan, Communicator &communicator);
  InPlaceMemory() = default; ///< every buffer lies in its own place

  /// Where a buffer of the plan begins; null for one on disk.
  void *buffer(uint32_t index, const PlanMemory &arenas) const;
  /// Whether what a gather brings to `whole` is there already.
  bool isPooled(const void *whole) const { return pool.holds(whole); }
  /// Whether an entry must not begin before all ranks have come to it.
  bool usesPool(uint32_t entry) const { return pool.data() && found.usesPool[entry]; }
  /// What the user should know; mostly nothing.
  std::string notice() const;

private:
  ReadInPlace found;
  SharedMemory pool;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_IN_PLACE_MEMORY_H
