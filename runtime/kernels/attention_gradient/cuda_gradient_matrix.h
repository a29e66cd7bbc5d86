// The gradient of attention by matrix units: probabilities are recomputed tile by tile; they and the gradients of scores are rounded before they
// meet the rows that they are multiplied by.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_GRADIENT_CUDA_GRADIENT_MATRIX_H
#define ZP_RUNTIME_KERNELS_ATTENTION_GRADIENT_CUDA_GRADIENT_MATRIX_H

#include "runtime/kernels/attention/cuda_matrix.h"
#include "runtime/kernels/attention_gradient/cuda_operands.h"

namespace zp::rt::cuda {

/// What a score is of: query and key place, the query's sums, whether it sees the key.
struct ScoreOf {
  int query, key;
  float logSumExp, delta;
  bool seen;
};

/// scores, query·key, become the probabilities as they meet the values, and products, grad_out·value, the scores' gradients. of(half, at): as
/// forScores counts. whole: all are seen.
template <typename T, bool kDropped, int kTiles, typename Of>
ZP_DEVICE void forWeights(const AttentionShape &shape, int head, int row, float (&scores)[kTiles][4], float (&products)[kTiles][4], bool whole,
                          const Of &of) {
  forScores(scores, [&](float &score, int, int) { score *= shape.scale; });
  if (shape.bias)
    forScores(scores, [&](float &score, int half, int at) {
      const ScoreOf what = of(half, at);
      if (what.query < shape.length && what.key < shape.keyLength)
        score += shape.biasOf(head, row, what.query, what.key);
    });
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  ZP_UNROLL
  for (int n = 0; n < kTiles; ++n)
    ZP_UNROLL
  for (int e = 0; e < 4; ++e) {
    const ScoreOf what = of(e / 2, n * 8 + lane % 4 * 2 + e % 2);
    const Weighted weighted = weigh<T, kDropped>(shape, head, row, what.query, what.key, scores[n][e], products[n][e], what.logSumExp, what.delta);
    scores[n][e] = whole | what.seen ? weighted.probability : 0.0f;
    products[n][e] = whole | what.seen ? weighted.gradient : 0.0f;
  }
}

/// A block has kOwnRows queries of one row and head; keys pass by, the next tile of which is asked for while one is computed with.
template <int D, bool kDropped, typename T>
__global__ void __launch_bounds__(kMatrixThreads) queryGradientByMatrix(AttentionShape shape, GradientOperands<T> operands, T *gradQuery, int tiles) {
  constexpr int kKeys = 32;
  alignas(16) __shared__ T shared[2][2 * kKeys][kStride<D>]; // keys and values of two tiles; own rows pass through it before
  __shared__ int keySegments[2][kKeys], querySegments[kOwnRows];
  static_assert(kOwnRows <= 2 * kKeys);
  const int rows = static_cast<int>(shape.rows), length = static_cast<int>(shape.length), keyLength = static_cast<int>(shape.keyLength);
  const int heads = static_cast<int>(shape.heads), kvHeads = static_cast<int>(shape.kvHeads), headDim = static_cast<int>(shape.headDim);
  // Blocks with the most to do, by causality, come first.
  const int block = static_cast<int>(blockIdx.x), firstQuery = (tiles - 1 - block % tiles) * kOwnRows, row = block / tiles % rows,
            head = block / tiles / rows, kvHead = head / (heads / kvHeads);
  const int lane = static_cast<int>(threadIdx.x) % kWarp, own = static_cast<int>(threadIdx.x) / kWarp * kWarpRows;
  const int places[2] = {firstQuery + own + lane / 4, firstQuery + own + lane / 4 + 8};
  shareRows<D, kOwnRows>(shared[0], operands.query, row, length, firstQuery, heads, head, headDim);
  shareRows<D, kOwnRows>(shared[1], operands.gradOut, row, length, firstQuery, heads, head, headDim);
  shareSegments(querySegments, shape.segments, row, length, firstQuery);
  float logSumExp[2] = {}, deltas[2] = {}, out[D / 8][4] = {};
  ZP_UNROLL
  for (int half = 0; half < 2; ++half)
    if (places[half] < length) {
      const int64_t at = head * shape.tokens + row * length + places[half];
      logSumExp[half] = operands.logSumExp[at];
      deltas[half] = operands.deltas[at];
    }
  awaitPacks();
  __syncthreads();
  KeptRows<D / 16> q, g;
  ZP_UNROLL
  for (int k = 0; k < D / 16; ++k) {
    loadA(q.at[k], shared[0], own, k * 16);
    loadA(g.at[k], shared[1], own, k * 16);
  }
  const int segments[2] = {querySegments[own + lane / 4], querySegments[own + lane / 4 + 8]}, segment = querySegments[own];
  const bool alike = meetingOf<kWarpRows>(querySegments + own, segment) == Meeting::All;
  const Sight sights[2] = {keysOf(shape, places[0]), keysOf(shape, places[1])};
  __syncthreads(); // own rows have been read
  auto ask = [&](int first, int stage) {
    shareRows<D, kKeys>(shared[stage], operands.key, row, keyLength, first, kvHeads, kvHead, headDim);
    shareRows<D, kKeys>(shared[stage] + kKeys, operands.value, row, keyLength, first, kvHeads, kvHead, headDim);
    shareSegments(keySegments[stage], shape.keySegments, row, keyLength, first);
  };
  const int last = (firstQuery + kOwnRows < length ? firstQuery + kOwnRows : length) - 1;
  const int begin = keysOf(shape, firstQuery).first / kKeys * kKeys, end = keysOf(shape, last).end; // of what any of the queries sees, by position
  if (begin < end)
    ask(begin, 0);

  for (int first = begin, stage = 0; first < end; first += kKeys, stage ^= 1) {
    awaitPacks();
    __syncthreads(); // the tile is there, and the other's place has been read
    if (first + kKeys < end)
      ask(first + kKeys, stage ^ 1);
    const Meeting meeting = alike ? meetingOf<kKeys>(keySegments[stage], segment) : Meeting::Some;
    if (meeting == Meeting::None || firstQuery + own >= length || shape.hidden(firstQuery + own, kWarpRows, first, kKeys))
      continue; // the same for all threads of the warp
    const T(*const keys)[kStride<D>] = shared[stage], (*const values)[kStride<D>] = shared[stage] + kKeys;
    float scores[kKeys / 8][4] = {}, products[kKeys / 8][4] = {};
    addScores<D>(scores, q, keys);
    addScores<D>(products, g, values);
    const bool whole = meeting == Meeting::All && seeAll(shape, firstQuery + own, kWarpRows, first, kKeys);
    forWeights<T, kDropped>(shape, head, row, scores, products, whole, [&](int half, int at) {
      return ScoreOf{places[half], first + at, logSumExp[half], deltas[half], sees(sights[half], first + at, segments[half], keySegments[stage][at])};
    });
    addWeighted<D>(out, products, keys);
  }
  storeRows<D>(gradQuery, row, length, firstQuery + own, heads, head, headDim, out, {shape.scale, shape.scale});
}

/// Queries of a tile: as many as leave the gradients of keys and values registers.
template <int D> constexpr int kPassingQueries = D <= 64 ? 32 : 16;

/// A block has kOwnRows keys of one row and kv head; the queries of all its heads pass by, so that nothing is summed across blocks.
template <int D, bool kDropped, typename T>
__global__ void __launch_bounds__(kMatrixThreads)
    keyGradientByMatrix(AttentionShape shape, GradientOperands<T> operands, T *gradKey, T *gradValue, int tiles) {
  constexpr int kQueries = kPassingQueries<D>;
  alignas(16) __shared__ T values[kOwnRows][kStride<D>], shared[2][2 * kQueries][kStride<D>]; // queries and gradients of two tiles
  __shared__ int keySegments[kOwnRows], querySegments[2][kQueries];
  __shared__ float logSumExp[2][kQueries], deltas[2][kQueries];
  const int rows = static_cast<int>(shape.rows), length = static_cast<int>(shape.length), keyLength = static_cast<int>(shape.keyLength);
  const int heads = static_cast<int>(shape.heads), kvHeads = static_cast<int>(shape.kvHeads), headDim = static_cast<int>(shape.headDim);
  const int block = static_cast<int>(blockIdx.x), firstKey = block % tiles * kOwnRows, row = block / tiles % rows, kvHead = block / tiles / rows;
  const int lane = static_cast<int>(threadIdx.x) % kWarp, own = static_cast<int>(threadIdx.x) / kWarp * kWarpRows;
  const int places[2] = {firstKey + own + lane / 4, firstKey + own + lane / 4 + 8};
  shareRows<D, kOwnRows>(values, operands.key, row, keyLength, firstKey, kvHeads, kvHead, headDim); // keys pass through the place of the values
  shareSegments(keySegments, shape.keySegments, row, keyLength, firstKey);
  awaitPacks();
  __syncthreads();
  KeptRows<D / 16> keys;
  ZP_UNROLL
  for (int k = 0; k < D / 16; ++k)
    loadA(keys.at[k], values, own, k * 16);
  const int segments[2] = {keySegments[own + lane / 4], keySegments[own + lane / 4 + 8]}, segment = keySegments[own];
  const bool alike = meetingOf<kWarpRows>(keySegments + own, segment) == Meeting::All;
  const Sight sights[2] = {queriesOf(shape, places[0]), queriesOf(shape, places[1])};
  __syncthreads(); // the keys have been read
  shareRows<D, kOwnRows>(values, operands.value, row, keyLength, firstKey, kvHeads, kvHead, headDim);
  // Tiles of queries that see any of the keys, by position, are numbered head by head.
  const int last = (firstKey + kOwnRows < keyLength ? firstKey + kOwnRows : keyLength) - 1;
  const int begin = queriesOf(shape, firstKey).first / kQueries, count = (queriesOf(shape, last).end + kQueries - 1) / kQueries - begin;
  const int all = count > 0 ? heads / kvHeads * count : 0;
  auto headOf = [&](int number) { return kvHead * (heads / kvHeads) + number / count; };
  auto firstOf = [&](int number) { return (begin + number % count) * kQueries; };
  auto ask = [&](int number, int stage) {
    const int head = headOf(number), first = firstOf(number);
    shareRows<D, kQueries>(shared[stage], operands.query, row, length, first, heads, head, headDim);
    shareRows<D, kQueries>(shared[stage] + kQueries, operands.gradOut, row, length, first, heads, head, headDim);
    shareSegments(querySegments[stage], shape.segments, row, length, first);
    if (const int r = static_cast<int>(threadIdx.x); r < kQueries && first + r < length) {
      const int64_t at = head * shape.tokens + row * length + first + r;
      logSumExp[stage][r] = operands.logSumExp[at];
      deltas[stage][r] = operands.deltas[at];
    }
  };
  float outKey[D / 8][4] = {}, outValue[D / 8][4] = {};
  if (all > 0)
    ask(0, 0);

  for (int number = 0, stage = 0; number < all; ++number, stage ^= 1) {
    awaitPacks();
    __syncthreads(); // the tile is there, and the other's place has been read
    if (number + 1 < all)
      ask(number + 1, stage ^ 1);
    const int head = headOf(number), first = firstOf(number);
    const Meeting meeting = alike ? meetingOf<kQueries>(querySegments[stage], segment) : Meeting::Some;
    if (meeting == Meeting::None || firstKey + own >= keyLength || shape.hidden(first, kQueries, firstKey + own, kWarpRows))
      continue; // the same for all threads of the warp
    const T(*const queries)[kStride<D>] = shared[stage], (*const gradOuts)[kStride<D>] = shared[stage] + kQueries;
    float scores[kQueries / 8][4] = {}, products[kQueries / 8][4] = {}; // [key, query]
    addScores<D>(scores, keys, queries);
    addScores<D>(
        products, [&](int k, uint32_t(&a)[4]) { loadA(a, values, own, k * 16); }, gradOuts);
    const bool whole = meeting == Meeting::All && seeAll(shape, first, kQueries, firstKey + own, kWarpRows);
    forWeights<T, kDropped>(shape, head, row, scores, products, whole, [&](int half, int at) {
      return ScoreOf{first + at, places[half], logSumExp[stage][at], deltas[stage][at],
                     sees(sights[half], first + at, segments[half], querySegments[stage][at])};
    });
    addWeighted<D>(outValue, scores, gradOuts);
    addWeighted<D>(outKey, products, queries);
  }
  awaitPacks(); // of the values, where no query sees the keys
  storeRows<D>(gradKey, row, keyLength, firstKey + own, kvHeads, kvHead, headDim, outKey, {shape.scale, shape.scale});
  storeRows<D>(gradValue, row, keyLength, firstKey + own, kvHeads, kvHead, headDim, outValue, {1.0f, 1.0f});
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_ATTENTION_GRADIENT_CUDA_GRADIENT_MATRIX_H
