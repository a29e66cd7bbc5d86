#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/relative_bias/bucket.h"

#include <vector>

namespace zp::rt::reference {

void run(const KernelContext &context, const RelativeBiasGradientArgs &args) {
  int64_t heads = args.gradTable.dims[1], distances = args.length + args.keyLength - 1;
  RelativeBuckets buckets{args.gradTable.dims[0], args.maxDistance, args.bidirectional};
  std::vector<double> sums(static_cast<size_t>(args.gradTable.elements()));
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t e = 0; e < distances; ++e)
      sums[static_cast<size_t>(buckets.of(e - (args.length - 1)) * heads + head)] += loadElement(args.gradOut, head * distances + e);
  for (size_t i = 0; i < sums.size(); ++i)
    storeElement(args.gradTable, static_cast<int64_t>(i), sums[i]);
}

} // namespace zp::rt::reference
