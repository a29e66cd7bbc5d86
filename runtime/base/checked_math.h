// Overflow-checked arithmetic on sizes that come from outside.
#ifndef ZP_RUNTIME_BASE_CHECKED_MATH_H
#define ZP_RUNTIME_BASE_CHECKED_MATH_H

#include <cstdint>

namespace zp {

/// Stores a+b; false when it does not fit in 64 bits.
inline bool checkedAdd(uint64_t a, uint64_t b, uint64_t &out) { return !__builtin_add_overflow(a, b, &out); }
/// Stores a*b; false when it does not fit in 64 bits.
inline bool checkedMul(uint64_t a, uint64_t b, uint64_t &out) { return !__builtin_mul_overflow(a, b, &out); }
/// [offset, offset+size) lies within [0, limit), and the sum does not wrap.
inline bool rangeFits(uint64_t offset, uint64_t size, uint64_t limit) {
  uint64_t end;
  return checkedAdd(offset, size, end) && end <= limit;
}
inline uint64_t alignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

} // namespace zp

#endif // ZP_RUNTIME_BASE_CHECKED_MATH_H
