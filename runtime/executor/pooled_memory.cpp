#include "runtime/executor/pooled_memory.h"

namespace zp::rt {

StatusOr<PooledMemory> PooledMemory::create(const fbs::Plan &plan, Communicator &communicator) {
  PooledMemory pooled;
  if (communicator.size() == 1 || !communicator.onOneHost())
    return pooled;
  pooled.pool = shardPoolOf(plan, static_cast<uint32_t>(communicator.rank()));
  ZP_ASSIGN_OR_RETURN(pooled.memory, SharedMemory::create(communicator, pooled.pool.bytes));
  return pooled;
}

std::string PooledMemory::notice() const {
  if (memory.whyNone().empty())
    return {};
  return "ranks copy each other's shards, which they could read where they lie: shared memory cannot be had (" + memory.whyNone() + ")";
}

} // namespace zp::rt
