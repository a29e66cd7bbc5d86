// The sum that every engine on the host takes: rank by rank, so that the bits don't depend on the engine or on how data is cut.
#ifndef ZP_RUNTIME_COLLECTIVE_ORDERED_SUM_H
#define ZP_RUNTIME_COLLECTIVE_ORDERED_SUM_H

#include <cstddef>

#include "runtime/base/status.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt {

/// out[i] = ((part(0)[i] + part(1)[i]) + …) + part(parts-1)[i], where part(r) begins `stride` bytes after part(r-1).
/// `out` may be any of the parts. F32 or F64.
void sumInOrder(const void *first, size_t stride, int parts, size_t count, DType dtype, void *out);

/// Only F32 and F64 are summed.
Status checkSummed(const char *what, DType dtype);

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_ORDERED_SUM_H
