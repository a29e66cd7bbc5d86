// How a tensor of 4-bit codes lies in memory: as records. The compiler places them, kernels read them.
//
// A tensor of [rows, columns] is flattened row by row and cut into blocks of `blockSize` elements with a scale each (the
// checkpoint's blocks), and these into records of 256 blocks. A record holds, one after the other,
//     codes    128·blockSize bytes   two a byte, the first in the high half
//     scales   nested: 256 codes of 8 bits, then the group's scale and the tensor's offset, both f32; else 256 f32
//     zeros    up to a multiple of 16
// so a scale never parts from its codes: whoever has whole records has all that it takes to read them, and a section of
// records is cut over ranks, gathered and placed like any other array of bytes. A group of nested scales is 256 scales,
// hence exactly a record. A tensor begins at a record's start; what its last record has too much is zero bytes.
#ifndef ZP_RUNTIME_SCHEMA_QUANT_RECORDS_H
#define ZP_RUNTIME_SCHEMA_QUANT_RECORDS_H

#include <cstdint>

namespace zp {

enum class QuantType : uint8_t {
#define ZP_QUANT_TYPE(name, text, value) name = value,
#include "runtime/schema/quant_types.inc"
#undef ZP_QUANT_TYPE
};
inline constexpr int64_t kQuantTypeCount = 2;

struct QuantRecords {
  QuantType type = QuantType::NF4;
  uint64_t blockSize = 64; ///< a power of two from 32 to 4096
  bool nested = false;

  static constexpr uint64_t kBlocks = 256, kAlignment = 16;

  constexpr uint64_t elements() const { return kBlocks * blockSize; }
  constexpr uint64_t codeBytes() const { return elements() / 2; }
  /// Of a record; a multiple of kAlignment.
  constexpr uint64_t bytes() const {
    uint64_t used = codeBytes() + (nested ? kBlocks + 8 : kBlocks * 4);
    return (used + kAlignment - 1) / kAlignment * kAlignment;
  }
  /// From the record's start, when nested.
  constexpr uint64_t groupScaleAt() const { return codeBytes() + kBlocks; }
  constexpr uint64_t offsetAt() const { return groupScaleAt() + 4; }

  /// Records of a tensor of that many elements, and their bytes.
  constexpr uint64_t countFor(uint64_t tensorElements) const { return (tensorElements + elements() - 1) / elements(); }
  constexpr uint64_t bytesFor(uint64_t tensorElements) const { return countFor(tensorElements) * bytes(); }

  bool operator==(const QuantRecords &) const = default;
};

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_QUANT_RECORDS_H
