#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const AlibiTableArgs &args) {
  Checker checker(args);
  checker.operands().tensor(args.positions, DType::I32, {-1}).finite("scale", args.scale);
  for (float slope : args.slopes)
    checker.finite("slopes", slope);
  if (!checker.ok())
    return checker.status();
  return checker.tensor(args.target, DType::F32, {static_cast<int64_t>(args.slopes.size()), args.positions ? args.positions.dims[0] : -1}).status();
}

} // namespace zp::rt
