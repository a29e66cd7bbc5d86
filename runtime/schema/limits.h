// What instructions take at most: the compiler keeps to it, the kernels' checks demand it.
#ifndef ZP_RUNTIME_SCHEMA_LIMITS_H
#define ZP_RUNTIME_SCHEMA_LIMITS_H

#include <cstdint>

namespace zp {

/// Columns of a product's branch_a: kernels take the branch as one block along K.
inline constexpr int64_t kMaxBranchRank = 256;

/// Rows of a cache that reorder_cache takes: prompts times beams.
inline constexpr int64_t kMaxCacheRows = 4096;

/// Places of a row whose attention drops probabilities, of queries and of keys: the generator counts both in 32 bits, four keys a count.
inline constexpr int64_t kMaxDropoutPlaces = 1 << 17;

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_LIMITS_H
