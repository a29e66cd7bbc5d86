// Conversions among the float types of checkpoints and sections, round to nearest even.
#ifndef ZP_RUNTIME_IO_CONVERT_ELEMENTS_H
#define ZP_RUNTIME_IO_CONVERT_ELEMENTS_H

#include <cstddef>
#include <cstdint>

#include "runtime/schema/dtypes.h"

namespace zp::rt {

/// F32, BF16 or F16.
bool isFloat(DType dtype);
/// `source` may be unaligned; the types are floats; equal types copy bytes.
void convertElements(const std::byte *source, DType from, void *target, DType to, uint64_t count);
/// Rounds each value to what `dtype`, a float type, can hold.
void roundElements(float *values, uint64_t count, DType dtype);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_CONVERT_ELEMENTS_H
