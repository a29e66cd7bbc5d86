// Where in the generator's stream a probability of attention finds its bit: the one statement of plan.attention's formula.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_DROPOUT_COUNTER_H
#define ZP_RUNTIME_KERNELS_ATTENTION_DROPOUT_COUNTER_H

#include <cstdint>

#include "runtime/schema/limits.h"

namespace zp::rt {

/// Keys that share a counter: one output word each.
inline constexpr int64_t kKeysPerCounter = 4;
/// Counters that a query has to itself.
inline constexpr int64_t kCountersPerQuery = kMaxDropoutPlaces / kKeysPerCounter;
static_assert(kMaxDropoutPlaces * kCountersPerQuery == int64_t{1} << 32);

/// The first counter of a query's place in its row; the key at place j is `j / kKeysPerCounter` further, word `j % kKeysPerCounter`.
constexpr uint32_t dropoutCounter(int64_t query) { return static_cast<uint32_t>(query * kCountersPerQuery); }

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_ATTENTION_DROPOUT_COUNTER_H
