// Double quantisation: the blocks' scales in turn as 8-bit codes, byte for byte as bitsandbytes 0.50.2 on a CPU, one
// thread.
//
// The offset is the mean of all scales of a tensor; what is left is cut into groups of 256 scales, each with an fp32
// scale of its own; a code is an index into the dynamic map. So a rank that quantised a shard (block_codec.h) first
// needs every scale of the tensor, in order; then the offset, and any range of codes and of nested scales, follow, for
// ranges that need not agree with anyone's groups. Scales are finite (quantize_weights.h saw to it).
#ifndef ZP_RUNTIME_QUANT_NESTED_SCALES_H
#define ZP_RUNTIME_QUANT_NESTED_SCALES_H

#include <cstdint>
#include <span>

#include "runtime/quant/dynamic_map.h"

namespace zp::rt {

inline constexpr uint64_t kNestedBlockSize = 256;

/// The mean of a tensor's scales; 0 for none.
float offsetOfScales(std::span<const float> absmax);

/// Nested scales of the groups [firstGroup, firstGroup + out.size()). `absmax` is the whole tensor's.
void nestScales(std::span<const float> absmax, float offset, uint64_t firstGroup, std::span<float> nestedAbsmax);

/// Codes of the scales [first, first + codes.size()). `absmax` is the whole tensor's.
void quantizeScales(std::span<const float> absmax, float offset, uint64_t first, std::span<uint8_t> codes);

/// map[code]·nestedAbsmax + offset, rounded after each, for the scales [first, first + codes.size()).
/// `nestedAbsmax` is the whole tensor's.
void dequantizeScales(std::span<const uint8_t> codes, std::span<const float> nestedAbsmax, float offset, const DynamicMap &map, uint64_t first,
                      std::span<float> absmax);

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_NESTED_SCALES_H
