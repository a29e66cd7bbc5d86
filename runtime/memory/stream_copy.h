// A copy of much memory that is not read again soon.
#ifndef ZP_RUNTIME_MEMORY_STREAM_COPY_H
#define ZP_RUNTIME_MEMORY_STREAM_COPY_H

#include <cstdint>

namespace zp::rt {

/// memcpy past the caches, where the processor can: the target's lines aren't read before they are written, and push nothing
/// out that is still wanted. The bytes are there for every thread that learns of it from this one.
void streamCopy(void *target, const void *source, uint64_t bytes);

} // namespace zp::rt

#endif // ZP_RUNTIME_MEMORY_STREAM_COPY_H
