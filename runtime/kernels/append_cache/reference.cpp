#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const AppendCacheArgs &args) {
  int64_t tokens = args.source.dims[0], width = args.source.dims[1], places = args.cache.dims[0] / (tokens / args.length);
  for (int64_t t = 0; t < tokens; ++t) {
    int64_t place = args.positions.as<int32_t>()[t], row = t / args.length;
    if (place < 0 || place >= places)
      continue;
    for (int64_t d = 0; d < width; ++d)
      storeElement(args.cache, (row * places + place) * width + d, loadElement(args.source, t * width + d));
  }
}

} // namespace zp::rt::reference
