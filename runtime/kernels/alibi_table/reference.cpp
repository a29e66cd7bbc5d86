#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const AlibiTableArgs &args) {
  int64_t heads = args.target.dims[0], tokens = args.target.dims[1];
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t t = 0; t < tokens; ++t) {
      double slope = args.slopes[static_cast<size_t>(head)], position = static_cast<double>(args.positions ? args.positions.as<int32_t>()[t] : t);
      DType kept = args.roundBf16 ? DType::BF16 : DType::F32;
      double product = roundTo(kept, roundTo(kept, slope) * roundTo(kept, position));
      storeElement(args.target, head * tokens + t, product * args.scale);
    }
}

} // namespace zp::rt::reference
