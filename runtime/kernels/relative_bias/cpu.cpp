#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/relative_bias/bucket.h"

namespace zp::rt::cpu {

void run(const KernelContext &context, const RelativeBiasArgs &args) {
  const int64_t heads = args.table.dims[1], distances = args.length + args.keyLength - 1;
  const RelativeBuckets buckets{args.table.dims[0], args.maxDistance, args.bidirectional};
  parallelFor(context, distances, 256, [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      const int64_t row = buckets.of(e - (args.length - 1)) * heads;
      for (int64_t head = 0; head < heads; ++head)
        args.target.as<float>()[head * distances + e] = static_cast<float>(loadElement(args.table, row + head));
    }
  });
}

} // namespace zp::rt::cpu
