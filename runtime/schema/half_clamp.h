// What nn.clamp_half puts in the place of f16's infinities.
#ifndef ZP_RUNTIME_SCHEMA_HALF_CLAMP_H
#define ZP_RUNTIME_SCHEMA_HALF_CLAMP_H

namespace zp {

/// 65504 - 1000 as f16 has it: the reference's torch.finfo(torch.float16).max - 1000.
inline constexpr float kHalfClamp = 64512;

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_HALF_CLAMP_H
