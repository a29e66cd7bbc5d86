#include "runtime/kernels/fused_heads.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const JoinQkvArgs &args) {
  Checker checker(args);
  checker.operands();
  return checkFusedHeads(checker, args.target, args.query, args.key, args.value, args.heads, args.kvHeads);
}

} // namespace zp::rt
