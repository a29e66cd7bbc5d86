// A matrix of 4-bit codes as kernels see it: its records in memory, and what an element of it is worth.
//
// The value of an element is value[code]·scale, one f32 product; the scale of a nested block is map[q]·group scale + offset,
// rounded after each operation. Whoever stores it rounds once more, to its own dtype.
#ifndef ZP_RUNTIME_KERNELS_QUANT_QUANT_MATRIX_H
#define ZP_RUNTIME_KERNELS_QUANT_QUANT_MATRIX_H

#include <bit>
#include <cstring>

#include "hwy/cache_control.h"

#include "runtime/kernels/check.h"
#include "runtime/quant/block_format.h"
#include "runtime/quant/dynamic_map.h"

namespace zp::rt {

struct QuantMatrix {
  const uint8_t *records = nullptr;
  QuantRecords format;
  int64_t rows = 0, columns = 0;
  const float *values = kNF4Table.values.data(); ///< by code
  const float *scaleMap = nullptr;               ///< by code of a nested scale

  QuantMatrix(const void *data, QuantRecords records, int64_t rows, int64_t columns)
      : records(static_cast<const uint8_t *>(data)), format(records), rows(rows), columns(columns), values(tableOf(records.type).values.data()),
        scaleMap(dynamicMap().data()), recordBytes(records.bytes()), shift(std::countr_zero(records.blockSize)) {}

  /// Elements of a block are 2 to the power of this.
  int blockShift() const { return shift; }

  const uint8_t *recordOf(int64_t block) const { return records + static_cast<uint64_t>(block) / QuantRecords::kBlocks * recordBytes; }
  /// A block's codes: blockSize / 2 bytes, and behind them at least 264 more that may be read.
  const uint8_t *codesOf(int64_t block) const {
    return recordOf(block) + static_cast<uint64_t>(block) % QuantRecords::kBlocks * (format.blockSize / 2);
  }
  float scaleOf(int64_t block) const {
    const uint8_t *record = recordOf(block), *scales = record + format.codeBytes();
    const uint64_t index = static_cast<uint64_t>(block) % QuantRecords::kBlocks;
    if (!format.nested)
      return floatAt(scales + index * sizeof(float));
    const float scaled = scaleMap[scales[index]] * floatAt(record + format.groupScaleAt());
    return scaled + floatAt(record + format.offsetAt());
  }
  /// Walks over blocks one after the other: what a record's blocks share is read once.
  class Blocks {
  public:
    Blocks(const QuantMatrix &matrix, int64_t block)
        : record(matrix.recordOf(block)), index(static_cast<uint64_t>(block) % QuantRecords::kBlocks), recordBytes(matrix.recordBytes),
          codeBytes(matrix.format.codeBytes()), groupScaleAt(matrix.format.groupScaleAt()), offsetAt(matrix.format.offsetAt()),
          halfBlock(matrix.format.blockSize / 2), scaleMap(matrix.format.nested ? matrix.scaleMap : nullptr) {
      enter();
    }
    const uint8_t *codes() const { return record + index * halfBlock; }
    /// What scaleOf gives.
    float scale() const {
      const uint8_t *scales = record + codeBytes;
      if (!scaleMap)
        return floatAt(scales + index * sizeof(float));
      const float scaled = scaleMap[scales[index]] * groupScale;
      return scaled + offset;
    }
    void next() {
      if (++index == QuantRecords::kBlocks) {
        index = 0;
        record += recordBytes;
        enter();
      }
    }

  private:
    void enter() {
      if (!scaleMap)
        return;
      groupScale = floatAt(record + groupScaleAt);
      offset = floatAt(record + offsetAt);
    }
    const uint8_t *record;
    uint64_t index, recordBytes, codeBytes, groupScaleAt, offsetAt, halfBlock;
    const float *scaleMap; ///< null: scales are not nested
    float groupScale = 0, offset = 0;
  };

  /// Asks for the codes and scales of a run of elements, which may end behind the matrix. Always inline: GCC takes a function that only asks
  /// for memory for one without effect, and drops calls of it.
  HWY_INLINE void prefetch(int64_t begin, int64_t count) const {
    const uint64_t block = static_cast<uint64_t>(begin >> shift), index = block % QuantRecords::kBlocks;
    const uint8_t *record = recordOf(static_cast<int64_t>(block)), *scales = record + format.codeBytes();
    const uint8_t *codes = record + index * (format.blockSize / 2) + (begin & (static_cast<int64_t>(format.blockSize) - 1)) / 2;
    for (int64_t at = 0; at < count / 2 + 63; at += 64)
      hwy::Prefetch(codes + at);
    hwy::Prefetch(scales + index * (format.nested ? 1 : sizeof(float)));
    if (format.nested)
      hwy::Prefetch(record + format.groupScaleAt());
  }
  /// Element `index` of the flattened matrix. For oracles: not for inner loops.
  float valueAt(int64_t index) const {
    const int64_t block = index >> blockShift(), place = index & (static_cast<int64_t>(format.blockSize) - 1);
    const uint8_t pair = codesOf(block)[place / 2];
    return values[place % 2 == 0 ? pair >> 4 : pair & 15] * scaleOf(block);
  }

private:
  static float floatAt(const uint8_t *from) {
    float value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  uint64_t recordBytes;
  int shift;
};

/// The weight of an op's arguments, once they are checked.
template <typename Args> QuantMatrix quantMatrixOf(const Args &args, int64_t rows, int64_t columns) {
  return {args.weight.data, {static_cast<QuantType>(args.quantType), static_cast<uint64_t>(args.blockSize), args.nested}, rows, columns};
}

/// The rules of an op's weight: known type and block size; exactly the records of [rows, columns], aligned as records are.
void checkRecords(Checker &checker, const TensorView &weight, int64_t rows, int64_t columns, int64_t quantType, int64_t blockSize, bool nested);

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_QUANT_QUANT_MATRIX_H
