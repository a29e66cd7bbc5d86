#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

namespace zp::rt::cpu {

void run(const KernelContext &context, const RopeTableArgs &args) {
  auto half = static_cast<int64_t>(args.inverseFrequencies.size());
  auto scaling = static_cast<float>(args.scaling);
  parallelFor(context, args.positions.dims[0], 16, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      auto position = static_cast<float>(args.positions.as<int32_t>()[t]);
      for (int64_t i = 0; i < half; ++i) {
        float angle = position * args.inverseFrequencies[i];
        storeElement(args.cosine, t * half + i, std::cos(angle) * scaling);
        storeElement(args.sine, t * half + i, std::sin(angle) * scaling);
      }
    }
  });
}
} // namespace zp::rt::cpu
