#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

#include <cmath>

namespace zp::rt {

Status check(const FillArgs &args) {
  Checker checker(args);
  checker.operands().finite("value", args.value);
  if (!checker.ok())
    return checker.status();
  auto integral = [&](double low, double high) {
    checker.rule(args.value == std::floor(args.value) && args.value >= low && args.value <= high, "value is " + std::to_string(args.value),
                 std::string("an integer that fits in ") + textOf(args.target.dtype));
  };
  if (args.target.dtype == DType::U8)
    integral(0, 255);
  else if (args.target.dtype == DType::I32)
    integral(-0x1p31, 0x1p31 - 1);
  else if (args.target.dtype == DType::I64)
    integral(-0x1p53, 0x1p53);
  return checker.status();
}

} // namespace zp::rt
