// Weights for timing without a checkpoint: values of a plausible size, the same on any number of ranks.
#ifndef ZP_RUNTIME_IO_SYNTHETIC_WEIGHTS_H
#define ZP_RUNTIME_IO_SYNTHETIC_WEIGHTS_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/schema/dtypes.h"

namespace zp::rt {

/// Elements [first, first+count) of the parameter `name`: about normal with deviation 0.02 for a matrix; a vector is a norm's
/// weight (ones) or a bias (zeros).
void syntheticWeights(const std::string &name, int rank, uint64_t seed, uint64_t first, uint64_t count, void *target, DType dtype);

/// A well mixed 64-bit word of a counter (splitmix64).
uint64_t mixedBits(uint64_t counter);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_SYNTHETIC_WEIGHTS_H
