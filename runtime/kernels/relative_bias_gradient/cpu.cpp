#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/relative_bias/bucket.h"

namespace zp::rt::cpu {

void run(const KernelContext &context, const RelativeBiasGradientArgs &args) {
  const int64_t heads = args.gradTable.dims[1], distances = args.length + args.keyLength - 1;
  const RelativeBuckets buckets{args.gradTable.dims[0], args.maxDistance, args.bidirectional};
  parallelFor(context, heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; ++head) {
      float *table = args.gradTable.as<float>() + head;
      for (int64_t bucket = 0; bucket < buckets.buckets; ++bucket)
        table[bucket * heads] = 0;
      // A bucket's distances lie side by side.
      const float *gradient = args.gradOut.as<float>() + head * distances;
      for (int64_t e = 0; e < distances;) {
        const int64_t bucket = buckets.of(e - (args.length - 1));
        double sum = 0;
        for (; e < distances && buckets.of(e - (args.length - 1)) == bucket; ++e)
          sum += gradient[e];
        table[bucket * heads] = static_cast<float>(sum);
      }
    }
  });
}

} // namespace zp::rt::cpu
