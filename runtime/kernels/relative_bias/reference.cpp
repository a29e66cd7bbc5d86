#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/relative_bias/bucket.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const RelativeBiasArgs &args) {
  int64_t heads = args.table.dims[1], distances = args.length + args.keyLength - 1;
  RelativeBuckets buckets{args.table.dims[0], args.maxDistance, args.bidirectional};
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t e = 0; e < distances; ++e)
      storeElement(args.target, head * distances + e, loadElement(args.table, buckets.of(e - (args.length - 1)) * heads + head));
}

} // namespace zp::rt::reference
