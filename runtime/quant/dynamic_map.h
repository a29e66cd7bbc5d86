// The 256 values that 8-bit scale codes stand for: a signed map with more steps towards zero.
#ifndef ZP_RUNTIME_QUANT_DYNAMIC_MAP_H
#define ZP_RUNTIME_QUANT_DYNAMIC_MAP_H

#include <array>

namespace zp::rt {

using DynamicMap = std::array<float, 256>;

/// Ascending from -0.99297 to 1, zero at 127: what we write as `nested_quant_map`, and what a file has to say there.
const DynamicMap &dynamicMap();

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_DYNAMIC_MAP_H
