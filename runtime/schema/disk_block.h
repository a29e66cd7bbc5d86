// What offsets and lengths of direct transfers are multiples of: the plan's buffers on disk begin at such offsets.
#ifndef ZP_RUNTIME_SCHEMA_DISK_BLOCK_H
#define ZP_RUNTIME_SCHEMA_DISK_BLOCK_H

#include <cstdint>

namespace zp {

inline constexpr uint64_t kDiskBlock = 4096;

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_DISK_BLOCK_H
