#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/philox.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const DropoutArgs &args) {
  const StepScalars &scalars = *args.scalars.as<StepScalars>();
  int64_t tokens = args.source.dims[0], width = args.source.dims[1];
  uint64_t threshold = dropoutThreshold(args.probability);
  std::array<uint32_t, 2> key = {static_cast<uint32_t>(scalars.seed), static_cast<uint32_t>(scalars.seed >> 32)};
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t d = 0; d < width; ++d) {
      int64_t place = (t % args.length) * width + d;
      uint32_t row = scalars.rowBase + static_cast<uint32_t>(t / args.length);
      auto words = philox4x32({static_cast<uint32_t>(place / 4), row, static_cast<uint32_t>(args.site), scalars.optimizerStep}, key);
      bool kept = words[place % 4] >= threshold;
      int64_t i = t * width + d;
      storeElement(args.target, i, kept ? loadElement(args.source, i) / (1 - args.probability) : 0);
    }
}

} // namespace zp::rt::reference
