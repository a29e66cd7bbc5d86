#include "runtime/executor/in_place_memory.h"

namespace zp::rt {

StatusOr<InPlaceMemory> InPlaceMemory::create(const fbs::Plan &plan, Communicator &communicator) {
  InPlaceMemory memory;
  memory.found = readInPlaceOf(plan, static_cast<uint32_t>(communicator.rank()));
  if (communicator.size() > 1 && communicator.onOneHost()) {
    ZP_ASSIGN_OR_RETURN(memory.pool, SharedMemory::create(communicator, memory.found.poolBytes));
  }
  return memory;
}

void *InPlaceMemory::buffer(uint32_t index, const PlanMemory &arenas) const {
  const uint32_t home = found.homes.empty() ? index : found.homes[index];
  return pool.data() && found.places[home] ? pool.data() + *found.places[home] : reinterpret_cast<std::byte *>(arenas.buffer(home));
}

std::string InPlaceMemory::notice() const {
  if (pool.whyNone().empty())
    return {};
  return "ranks copy each other's shards, which they could read where they lie: shared memory cannot be had (" + pool.whyNone() + ")";
}

} // namespace zp::rt
