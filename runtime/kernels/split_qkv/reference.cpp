#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const SplitQkvArgs &args) {
  int64_t width = args.source.dims[1], headDim = width / (args.heads + 2 * args.kvHeads), group = args.heads / args.kvHeads;
  for (int64_t t = 0; t < args.source.dims[0]; ++t)
    for (int64_t column = 0; column < width; ++column) {
      int64_t head = column / headDim, d = column % headDim, kvHead = head / (group + 2), place = head % (group + 2);
      double value = loadElement(args.source, t * width + column);
      if (place < group)
        storeElement(args.query, (t * args.heads + kvHead * group + place) * headDim + d, value);
      else
        storeElement(place == group ? args.key : args.value, (t * args.kvHeads + kvHead) * headDim + d, value);
    }
}

} // namespace zp::rt::reference
