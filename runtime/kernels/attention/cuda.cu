#include "runtime/kernels/attention/cuda_attend_matrix.h"
#include "runtime/kernels/cuda/fused_attention.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// A block has kTileRows queries of one row and head, kRowThreads threads a query; keys pass by in tiles.
template <int D, bool kDropped, typename T>
__global__ void attend(AttentionShape shape, const T *query, const T *key, const T *value, T *target, float *logSumExp, int64_t queryTiles) {
  constexpr int kRows = kTileRows<D>, kThreads = kRowThreads<D>, kColumns = D / kThreads;
  __shared__ Tile<D> queries, keys, values;
  __shared__ float probabilities[kRows][kRows];
  const int64_t firstPlace = blockIdx.x % queryTiles * kRows, row = blockIdx.x / queryTiles % shape.rows, head = blockIdx.x / queryTiles / shape.rows,
                kvHead = head / shape.group();
  const int r = static_cast<int>(threadIdx.x) / kThreads, lane = static_cast<int>(threadIdx.x) % kThreads;
  const int64_t place = firstPlace + r;
  loadTile<D>(queries, query, row, shape.length, firstPlace, shape.heads, head, shape.headDim);
  float out[kColumns] = {}, largest = -INFINITY, sum = 0;
  for (int64_t first = 0; first < shape.keyLength; first += kRows) {
    if (shape.hidden(firstPlace, kRows, first, kRows))
      continue;      // the same for all threads
    __syncthreads(); // the tiles before have been read
    loadTile<D>(keys, key, row, shape.keyLength, first, shape.kvHeads, kvHead, shape.headDim);
    loadTile<D>(values, value, row, shape.keyLength, first, shape.kvHeads, kvHead, shape.headDim);
    __syncthreads();
    float newLargest = largest;
    for (int k = lane; k < kRows; k += kThreads) {
      if (!shape.sees(row, place, first + k))
        continue;
      const float score = shape.scale * dot<D>(queries[r], keys[k]) + shape.biasOf(head, row, place, first + k);
      probabilities[r][k] = score;
      newLargest = newLargest > score ? newLargest : score;
    }
    newLargest = reduceLanes(newLargest, kThreads, Maximum());
    float added = 0;
    for (int k = lane; k < kRows; k += kThreads) {
      const bool seen = shape.sees(row, place, first + k);
      probabilities[r][k] = seen ? expf(probabilities[r][k] - newLargest) : 0.0f;
      added += probabilities[r][k];
      if constexpr (kDropped)
        if (seen)
          probabilities[r][k] *= shape.keptOf(head, row, place, first + k);
    }
    const float correction = largest == -INFINITY ? 0.0f : expf(largest - newLargest);
    sum = sum * correction + reduceLanes(added, kThreads, Sum());
    largest = newLargest;
    __syncthreads(); // the row's probabilities are of several threads
    for (int i = 0; i < kColumns; ++i) {
      float total = out[i] * correction;
      for (int k = 0; k < kRows; ++k)
        total += probabilities[r][k] * values[k][lane + i * kThreads];
      out[i] = total;
    }
  }
  if (place >= shape.length)
    return;
  const int64_t token = row * shape.length + place;
  for (int i = 0; i < kColumns; ++i) {
    const int c = lane + i * kThreads;
    if (c < shape.headDim)
      target[(token * shape.heads + head) * shape.headDim + c] = fromFloat<T>(sum == 0 ? 0.0f : out[i] / sum);
  }
  if (lane == 0)
    logSumExp[head * shape.tokens + token] = sum == 0 ? -INFINITY : largest + logf(sum);
}

} // namespace

Status run(const Context &context, const AttentionArgs &args) {
  if (context.fusedAttention && context.fusedAttention->takes(args))
    return context.fusedAttention->run(context, args);
  const AttentionShape shape(args);
  withElement(args.query.dtype, [&](auto element) {
    using T = decltype(element);
    T *target = args.target.as<T>();
    auto start = [&](auto kernel, int threads, int64_t queries) {
      const int64_t tiles = (shape.length + queries - 1) / queries;
      launch(context.stream, tiles * shape.rows * shape.heads, threads, kernel, shape, args.query.as<T>(), args.key.as<T>(), args.value.as<T>(),
             target, args.logSumExp.as<float>(), tiles);
    };
    withDropout(shape, [&]<bool kDropped>() {
      if (isForMatrix<T>(shape))
        withMatrixHead(shape.headDim, [&]<int D>() {
          if constexpr (sizeof(T) == 2)
            start(attendByMatrix<D, kDropped, T>, kMatrixThreads, kOwnRows);
        });
      else
        withHead<T>(shape.headDim, [&]<int D>() { start(attend<D, kDropped, T>, kBlockThreads, kTileRows<D>); });
    });
  });
  return {};
}

} // namespace zp::rt::cuda
