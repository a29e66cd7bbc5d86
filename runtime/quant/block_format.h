// How a weight is cut into blocks of 4-bit codes, and how many bytes that makes.
//
// The weight is flattened row by row; a block is `blockSize` consecutive elements, whatever the rows. Two codes a byte,
// the first in the high half. A block has one fp32 scale, its largest magnitude. The last block may be short: the tail.
#ifndef ZP_RUNTIME_QUANT_BLOCK_FORMAT_H
#define ZP_RUNTIME_QUANT_BLOCK_FORMAT_H

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/quant/nf4_tables.h"
#include "runtime/schema/quant_records.h"

namespace zp::rt {

inline const char *textOf(QuantType type) {
  switch (type) {
#define ZP_QUANT_TYPE(name, text, number)                                                                                                            \
  case QuantType::name:                                                                                                                              \
    return text;
#include "runtime/schema/quant_types.inc"
#undef ZP_QUANT_TYPE
  }
  return "?";
}
inline std::optional<QuantType> quantTypeOf(std::string_view name) {
#define ZP_QUANT_TYPE(value, text, number)                                                                                                           \
  if (name == text)                                                                                                                                  \
    return QuantType::value;
#include "runtime/schema/quant_types.inc"
#undef ZP_QUANT_TYPE
  return std::nullopt;
}
inline const QuantTable &tableOf(QuantType type) {
  switch (type) {
#define ZP_QUANT_TYPE(name, text, number)                                                                                                            \
  case QuantType::name:                                                                                                                              \
    return k##name##Table;
#include "runtime/schema/quant_types.inc"
#undef ZP_QUANT_TYPE
  }
  return kNF4Table;
}

inline constexpr uint32_t kSmallestQuantBlock = 32, kLargestQuantBlock = 4096;
/// A power of two from 32 to 4096.
constexpr bool isQuantBlockSize(uint64_t size) { return std::has_single_bit(size) && size >= kSmallestQuantBlock && size <= kLargestQuantBlock; }

struct BlockFormat {
  QuantType type = QuantType::NF4;
  uint32_t blockSize = 64;

  bool operator==(const BlockFormat &) const = default;
};

/// Scales of `elements` elements.
constexpr uint64_t blocksOf(uint64_t elements, uint64_t blockSize) { return elements / blockSize + (elements % blockSize != 0); }
/// Bytes of the codes of `elements` elements.
constexpr uint64_t packedBytesOf(uint64_t elements) { return elements / 2 + elements % 2; }

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_BLOCK_FORMAT_H
