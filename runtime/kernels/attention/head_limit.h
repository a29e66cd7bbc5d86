// The largest head_dim that attention's kernels are laid out for.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_HEAD_LIMIT_H
#define ZP_RUNTIME_KERNELS_ATTENTION_HEAD_LIMIT_H

#include <cstdint>

namespace zp::rt {

inline constexpr int64_t kMaxHeadDim = 256;

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_ATTENTION_HEAD_LIMIT_H
