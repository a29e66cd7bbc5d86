#include "runtime/kernels/check.h"
#include "runtime/kernels/attention/head_limit.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt {

Status check(const RopeTableArgs &args) {
  Checker checker(args);
  checker.operands().tensor(args.positions, DType::I32, {-1}).dtype(args.cosine, kComputeDTypes).finite("scaling", args.scaling);
  if (!checker.ok())
    return checker.status();
  auto half = static_cast<int64_t>(args.inverseFrequencies.size());
  return checker
      .rule(half <= kMaxHeadDim / 2, "inverse_frequencies has " + std::to_string(half) + " elements", "at most " + std::to_string(kMaxHeadDim / 2))
      .shape(args.cosine, {args.positions.dims[0], half})
      .tensor(args.sine, args.cosine.dtype, {args.positions.dims[0], half})
      .status();
}

} // namespace zp::rt
