#include "runtime/kernels/relative_bias/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const RelativeBiasArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.table, kComputeDTypes);
  return checkRelativeBias(checker, args, args.table, args.target);
}

} // namespace zp::rt
