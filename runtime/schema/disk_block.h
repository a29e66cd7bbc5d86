// The plan's buffers on disk begin at multiples of kDiskBlock.
#ifndef ZP_RUNTIME_SCHEMA_DISK_BLOCK_H
#define ZP_RUNTIME_SCHEMA_DISK_BLOCK_H

#include "runtime/base/disk_block.h" // IWYU pragma: export

#endif // ZP_RUNTIME_SCHEMA_DISK_BLOCK_H
