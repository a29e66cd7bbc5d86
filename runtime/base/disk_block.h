#ifndef ZP_RUNTIME_BASE_DISK_BLOCK_H
#define ZP_RUNTIME_BASE_DISK_BLOCK_H

#include <cstdint>

namespace zp {

/// What offsets, addresses and lengths of direct transfers are multiples of.
inline constexpr uint64_t kDiskBlock = 4096;

} // namespace zp

#endif // ZP_RUNTIME_BASE_DISK_BLOCK_H
