#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const SumSquaresArgs &args) {
  return Checker(args).operands().dtype(args.source, {DType::F32}).tensor(args.target, DType::F64, {1}).status();
}

} // namespace zp::rt
