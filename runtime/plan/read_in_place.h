// What a plan moves that the ranks of one CPU host have where they can read it: nothing needs to be moved for that.
//
// - A copy of a persistent buffer into one of an entry, as a fetch of offloaded weights is: both tiers are the host's memory, so the copy
//   can lie where its source does. Nothing else writes the copy, and no entry that makes it writes the source.
// - An all_gather of such a persistent buffer, or of such a copy: the shards of all ranks beside one another are the whole, in a pool that
//   all ranks see. Nothing else writes the whole, and no entry that gathers a shard writes it. So peers only have to keep entries apart:
//   one that uses the pool begins when all ranks have come to it.
#ifndef ZP_RUNTIME_PLAN_READ_IN_PLACE_H
#define ZP_RUNTIME_PLAN_READ_IN_PLACE_H

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

struct ReadInPlace {
  std::vector<uint32_t> homes; ///< by buffer: the one in whose memory it lies, mostly itself
  uint64_t poolBytes = 0;      ///< of all ranks
  /// By buffer: where in the pool it begins, a whole where rank 0's shard does. Nothing for buffers that stay in their arena.
  std::vector<std::optional<uint64_t>> places;
  std::vector<bool> usesPool; ///< by entry
};

/// As rank `rank` sees it. Requires a plan for CPUs that has passed verifyPlan.
ReadInPlace readInPlaceOf(const fbs::Plan &plan, uint32_t rank);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_READ_IN_PLACE_H
