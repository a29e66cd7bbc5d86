#include "runtime/kernels/attention/head_limit.h"
#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/reduce.h"

namespace zp::rt::cuda {
namespace {

struct Shape {
  int64_t heads, kvHeads, headDim, length, places, window;
  float scale;
  bool byDistance;
};

/// A block a token and head, a thread a place of the cache, then a thread a column of the result. Bound by the cache that it reads.
template <typename T>
__global__ void attendCache(Shape shape, const T *query, const T *key, const T *value, const int32_t *positions, const float *bias, T *target) {
  __shared__ float probabilities[kBlockThreads], q[kMaxHeadDim];
  const int64_t token = blockIdx.x / shape.heads, head = blockIdx.x % shape.heads, kvHead = head / (shape.heads / shape.kvHeads);
  const int64_t begin = (token * shape.heads + head) * shape.headDim, thread = threadIdx.x;
  if (thread < shape.headDim)
    q[thread] = toFloat(query[begin + thread]);
  __syncthreads();
  const int64_t last = positions[token] < shape.places ? positions[token] : shape.places - 1;
  const int64_t end = last + 1; // zero or less: padding
  int64_t first = shape.window == 0 ? 0 : positions[token] - shape.window + 1;
  first = first < 0 ? 0 : first;
  auto cached = [&](int64_t place) { return ((token / shape.length * shape.places + place) * shape.kvHeads + kvHead) * shape.headDim; };
  float out = 0, largest = -INFINITY, sum = 0;
  for (int64_t tile = first; tile < end; tile += kBlockThreads) {
    const int64_t place = tile + thread;
    const bool seen = place < end;
    float score = 0;
    if (seen) {
      for (int64_t c = 0; c < shape.headDim; ++c)
        score += q[c] * toFloat(key[cached(place) + c]);
      score *= shape.scale;
      if (bias)
        score += bias[shape.byDistance ? head * (2 * shape.places - 1) + place - last + shape.places - 1 : head * shape.places + place];
    }
    const float newLargest = reduceBlock(seen && score > largest ? score : largest, Maximum());
    const float probability = seen ? expf(score - newLargest) : 0.0f;
    const float correction = largest == -INFINITY ? 0.0f : expf(largest - newLargest);
    probabilities[thread] = probability;
    sum = sum * correction + reduceBlock(probability, Sum()); // its barriers: all probabilities are there
    largest = newLargest;
    const int64_t here = end - tile < kBlockThreads ? end - tile : kBlockThreads;
    out *= correction;
    for (int64_t k = 0; thread < shape.headDim && k < here; ++k)
      out += probabilities[k] * toFloat(value[cached(tile + k) + thread]);
    __syncthreads(); // before the next tile's
  }
  if (thread < shape.headDim)
    target[begin + thread] = fromFloat<T>(sum == 0 ? 0.0f : out / sum);
}

} // namespace

Status run(const Context &context, const CachedAttentionArgs &args) {
  static_assert(kMaxHeadDim <= kBlockThreads);
  const int64_t tokens = args.query.dims[0];
  const Shape shape{args.heads, args.kvHeads, args.query.dims[1] / args.heads, args.length, args.key.dims[0] / (tokens / args.length), args.window,
                    static_cast<float>(args.scale), args.biasByDistance};
  withElement(args.query.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context.stream, tokens * args.heads, kBlockThreads, attendCache<T>, shape, args.query.as<T>(), args.key.as<T>(), args.value.as<T>(),
           args.positions.as<int32_t>(), args.bias.as<float>(), args.target.as<T>());
  });
  return {};
}

} // namespace zp::rt::cuda
