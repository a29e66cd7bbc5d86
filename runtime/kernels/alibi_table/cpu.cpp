#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

namespace zp::rt::cpu {

void run(const KernelContext &context, const AlibiTableArgs &args) {
  const int64_t heads = args.target.dims[0], tokens = args.target.dims[1];
  const auto scale = static_cast<float>(args.scale);
  const bool narrow = args.roundBf16;
  auto rounded = [=](float value) { return narrow ? bf16ToFloat(floatToBf16(value)) : value; };
  parallelFor(context, heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; ++head) {
      const float slope = rounded(args.slopes[static_cast<size_t>(head)]);
      float *target = args.target.as<float>() + head * tokens;
      for (int64_t t = 0; t < tokens; ++t)
        target[t] = rounded(slope * rounded(static_cast<float>(args.positions ? args.positions.as<int32_t>()[t] : t))) * scale;
    }
  });
}

} // namespace zp::rt::cpu
