// Element types of plan tensors. Sizes are in bits so that packed types fit; bytes are computed in one place.
#ifndef ZP_RUNTIME_SCHEMA_DTYPES_H
#define ZP_RUNTIME_SCHEMA_DTYPES_H

#include <cstdint>

namespace zp {

enum class DType : uint8_t {
#define ZP_DTYPE(name, value, bits, text, st) name = value,
#include "runtime/schema/dtypes.inc"
#undef ZP_DTYPE
};
inline constexpr int kDTypeCount = 7;

constexpr uint64_t bitsOf(DType dtype) {
  switch (dtype) {
#define ZP_DTYPE(name, value, bits, text, st)                                                                                                        \
  case DType::name:                                                                                                                                  \
    return bits;
#include "runtime/schema/dtypes.inc"
#undef ZP_DTYPE
  }
  return 0;
}
constexpr const char *textOf(DType dtype) {
  switch (dtype) {
#define ZP_DTYPE(name, value, bits, text, st)                                                                                                        \
  case DType::name:                                                                                                                                  \
    return text;
#include "runtime/schema/dtypes.inc"
#undef ZP_DTYPE
  }
  return "?";
}
/// Bytes of `elements` elements, rounded up to a whole byte.
constexpr uint64_t bytesOf(DType dtype, uint64_t elements) { return (elements * bitsOf(dtype) + 7) / 8; }

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_DTYPES_H
