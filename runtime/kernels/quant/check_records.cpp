#include "runtime/base/checked_math.h"
#include "runtime/kernels/quant/quant_matrix.h"

namespace zp::rt {

void checkRecords(Checker &checker, const TensorView &weight, int64_t rows, int64_t columns, int64_t quantType, int64_t blockSize, bool nested) {
  constexpr int64_t kMost = int64_t{1} << 60; // as for any operand: a record's bytes times their number still fit
  checker.dtype(weight, {DType::U8})
      .shape(weight, {-1})
      .attribute("quant_type", quantType, 0, kQuantTypeCount - 1)
      .rule(blockSize > 0 && isQuantBlockSize(static_cast<uint64_t>(blockSize)), "block_size is " + std::to_string(blockSize),
            "a power of two from 32 to 4096")
      .attribute("rows", rows, 1, kMost)
      .attribute("columns", columns, 1, kMost);
  uint64_t elements = 0;
  if (checker.ok())
    checker.rule(checkedMul(static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), elements) && elements <= kMost,
                 std::to_string(rows) + " rows of " + std::to_string(columns) + " columns", "at most 2^60 elements");
  if (!checker.ok())
    return;
  const QuantRecords format{static_cast<QuantType>(quantType), static_cast<uint64_t>(blockSize), nested};
  checker.shape(weight, {static_cast<int64_t>(format.bytesFor(elements))})
      .rule(reinterpret_cast<uintptr_t>(weight.data) % QuantRecords::kAlignment == 0, "weight lies at an address that is not a multiple of 16",
            "aligned records");
}

} // namespace zp::rt
