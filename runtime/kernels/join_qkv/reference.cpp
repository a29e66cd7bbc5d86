#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const JoinQkvArgs &args) {
  int64_t width = args.target.dims[1], headDim = width / (args.heads + 2 * args.kvHeads), group = args.heads / args.kvHeads;
  for (int64_t t = 0; t < args.target.dims[0]; ++t)
    for (int64_t column = 0; column < width; ++column) {
      int64_t head = column / headDim, d = column % headDim, kvHead = head / (group + 2), place = head % (group + 2);
      const TensorView &part = place < group ? args.query : place == group ? args.key : args.value;
      int64_t source = place < group ? (t * args.heads + kvHead * group + place) * headDim + d : (t * args.kvHeads + kvHead) * headDim + d;
      storeElement(args.target, t * width + column, part ? loadElement(part, source) : 0);
    }
}

} // namespace zp::rt::reference
