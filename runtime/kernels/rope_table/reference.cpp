#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const RopeTableArgs &args) {
  auto half = static_cast<int64_t>(args.inverseFrequencies.size());
  for (int64_t t = 0; t < args.positions.dims[0]; ++t)
    for (int64_t i = 0; i < half; ++i) {
      float angle = static_cast<float>(args.positions.as<int32_t>()[t]) * args.inverseFrequencies[i];
      storeElement(args.cosine, t * half + i, std::cos(static_cast<double>(angle)) * args.scaling);
      storeElement(args.sine, t * half + i, std::sin(static_cast<double>(angle)) * args.scaling);
    }
}

} // namespace zp::rt::reference
