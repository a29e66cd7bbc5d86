#include "runtime/kernels/relative_bias/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const RelativeBiasGradientArgs &args) {
  Checker checker(args);
  checker.operands().dtype(args.gradTable, {DType::F32});
  return checkRelativeBias(checker, args, args.gradTable, args.gradOut);
}

} // namespace zp::rt
