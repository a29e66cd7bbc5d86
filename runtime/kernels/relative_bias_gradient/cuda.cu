#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/reduce.h"
#include "runtime/kernels/relative_bias/bucket.h"

namespace zp::rt::cuda {
namespace {

/// A block a bucket and head: its threads look for the distances that fall into it.
__global__ void relativeBiasGradient(RelativeBuckets buckets, const float *gradOut, float *gradTable, int64_t heads, int64_t distances,
                                     int64_t length) {
  const int64_t bucket = blockIdx.x / heads, head = blockIdx.x % heads;
  float sum = 0;
  for (int64_t e = threadIdx.x; e < distances; e += blockDim.x)
    if (buckets.of(e - (length - 1)) == bucket)
      sum += gradOut[head * distances + e];
  sum = reduceBlock(sum, Sum());
  if (threadIdx.x == 0)
    gradTable[blockIdx.x] = sum;
}

} // namespace

Status run(const Context &context, const RelativeBiasGradientArgs &args) {
  const int64_t buckets = args.gradTable.dims[0], heads = args.gradTable.dims[1];
  launch(context.stream, buckets * heads, kBlockThreads, relativeBiasGradient, RelativeBuckets{buckets, args.maxDistance, args.bidirectional},
         args.gradOut.as<float>(), args.gradTable.as<float>(), heads, args.length + args.keyLength - 1, args.length);
  return {};
}

} // namespace zp::rt::cuda
