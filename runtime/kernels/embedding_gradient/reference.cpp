#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const EmbeddingGradientArgs &args) {
  int64_t vocabulary = args.gradTable.dims[0], width = args.gradTable.dims[1];
  for (int64_t t = 0; t < args.ids.dims[0]; ++t) {
    int64_t id = args.ids.as<int32_t>()[t], row = id + args.offset;
    if (id < 0 || row >= vocabulary || id == args.padding)
      continue; // as in embedding
    for (int64_t d = 0; d < width; ++d)
      storeElement(args.gradTable, row * width + d, loadElement(args.gradTable, row * width + d) + loadElement(args.gradOut, t * width + d));
  }
}

} // namespace zp::rt::reference
