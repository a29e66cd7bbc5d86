#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const RopeTableArgs &args) {
  Checker checker(args);
  checker.operands()
      .tensor(args.positions, DType::I32, {-1})
      .dtype(args.cosine, kComputeDTypes)
      .finite("scaling", args.scaling);
  if (!checker.ok())
    return checker.status();
  auto half = static_cast<int64_t>(args.inverseFrequencies.size());
  return checker.shape(args.cosine, {args.positions.dims[0], half})
      .tensor(args.sine, args.cosine.dtype, {args.positions.dims[0], half})
      .status();
}

} // namespace zp::rt
