#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/quant/quant_matrix.h"

namespace zp::rt {

Status check(const NF4DequantizeArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.target, kComputeDTypes).shape(args.target, {-1, -1});
  checkRecords(checker, args.weight, args.target.dims[0], args.target.dims[1], args.quantType, args.blockSize, args.nested);
  return checker.status();
}

} // namespace zp::rt
