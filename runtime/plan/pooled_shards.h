// Which shards the ranks of one host can leave in a pool that all of them see, so that gathering one moves nothing: beside one
// another, the shards of all ranks are the whole.
//
// Such a shard fills a persistent buffer of its own, and what is gathered of it a buffer of an entry that nothing else writes.
// No entry that gathers a shard writes it. So peers only have to keep entries apart: one that uses the pool begins when all ranks have
// come to it.
#ifndef ZP_RUNTIME_PLAN_POOLED_SHARDS_H
#define ZP_RUNTIME_PLAN_POOLED_SHARDS_H

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

struct ShardPool {
  uint64_t bytes = 0; ///< of all ranks
  /// Where a buffer of the plan begins in the pool: a whole where rank 0's shard does. Nothing for buffers that stay in their arena.
  std::vector<std::optional<uint64_t>> places;
  std::vector<bool> usedBy; ///< by entry
};

/// The pool as rank `rank` sees it. Requires a plan that has passed verifyPlan.
ShardPool shardPoolOf(const fbs::Plan &plan, uint32_t rank);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_POOLED_SHARDS_H
