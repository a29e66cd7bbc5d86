// Attention by matrix units: scores of a tile of keys, softmax as it goes, probabilities rounded before they meet the values.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_CUDA_ATTEND_MATRIX_H
#define ZP_RUNTIME_KERNELS_ATTENTION_CUDA_ATTEND_MATRIX_H

#include "runtime/kernels/attention/cuda_matrix.h"

namespace zp::rt::cuda {

/// Keys of a tile: as many as leave the scores registers.
template <int D> constexpr int kAttendedKeys = D <= 64 ? 64 : 32;

/// A block has kOwnRows queries of one row and head; keys pass by in tiles, the next of which is asked for while one is computed with.
template <int D, bool kDropped, typename T>
__global__ void __launch_bounds__(kMatrixThreads)
    attendByMatrix(AttentionShape shape, const T *query, const T *key, const T *value, T *target, float *logSumExp, int queryTiles) {
  constexpr int kKeys = kAttendedKeys<D>;
  alignas(16) __shared__ T shared[2][2 * kKeys][kStride<D>]; // keys and values of two tiles; the queries pass through the second's place
  __shared__ int keySegments[2][kKeys], querySegments[kOwnRows];
  static_assert(kOwnRows <= 2 * kKeys);
  const int rows = static_cast<int>(shape.rows), length = static_cast<int>(shape.length), keyLength = static_cast<int>(shape.keyLength);
  const int heads = static_cast<int>(shape.heads), kvHeads = static_cast<int>(shape.kvHeads), headDim = static_cast<int>(shape.headDim);
  // Blocks with the most to do, by causality, come first.
  const int block = static_cast<int>(blockIdx.x), firstQuery = (queryTiles - 1 - block % queryTiles) * kOwnRows, row = block / queryTiles % rows,
            head = block / queryTiles / rows, kvHead = head / (heads / kvHeads);
  const int lane = static_cast<int>(threadIdx.x) % kWarp, own = static_cast<int>(threadIdx.x) / kWarp * kWarpRows;
  const int places[2] = {firstQuery + own + lane / 4, firstQuery + own + lane / 4 + 8};
  auto ask = [&](int first, int stage) {
    shareRows<D, kKeys>(shared[stage], key, row, keyLength, first, kvHeads, kvHead, headDim);
    shareRows<D, kKeys>(shared[stage] + kKeys, value, row, keyLength, first, kvHeads, kvHead, headDim);
    shareSegments(keySegments[stage], shape.keySegments, row, keyLength, first);
  };
  const int last = (firstQuery + kOwnRows < length ? firstQuery + kOwnRows : length) - 1;
  const int begin = keysOf(shape, firstQuery).first / kKeys * kKeys, end = keysOf(shape, last).end; // of what any of the queries sees, by position
  shareRows<D, kOwnRows>(shared[1], query, row, length, firstQuery, heads, head, headDim);
  shareSegments(querySegments, shape.segments, row, length, firstQuery);
  if (begin < end)
    ask(begin, 0);
  awaitPacks();
  __syncthreads();
  KeptRows<D / 16> q;
  ZP_UNROLL
  for (int k = 0; k < D / 16; ++k)
    loadA(q.at[k], shared[1], own, k * 16);
  const int segments[2] = {querySegments[own + lane / 4], querySegments[own + lane / 4 + 8]}, segment = querySegments[own];
  const bool alike = meetingOf<kWarpRows>(querySegments + own, segment) == Meeting::All;
  const Sight sights[2] = {keysOf(shape, places[0]), keysOf(shape, places[1])};
  float out[D / 8][4] = {}, largest[2] = {-INFINITY, -INFINITY}, sum[2] = {};

  for (int first = begin, stage = 0; first < end; first += kKeys, stage ^= 1) {
    awaitPacks();
    __syncthreads(); // the tile is there, and the other's place has been read
    if (first + kKeys < end)
      ask(first + kKeys, stage ^ 1);
    const Meeting meeting = alike ? meetingOf<kKeys>(keySegments[stage], segment) : Meeting::Some;
    if (meeting == Meeting::None || firstQuery + own >= length || shape.hidden(firstQuery + own, kWarpRows, first, kKeys))
      continue; // the same for all threads of the warp
    const T(*const keys)[kStride<D>] = shared[stage], (*const values)[kStride<D>] = shared[stage] + kKeys;
    float scores[kKeys / 8][4] = {};
    addScores<D>(scores, q, keys);
    const bool whole = meeting == Meeting::All && seeAll(shape, firstQuery + own, kWarpRows, first, kKeys);
    forScores(scores, [&](float &score, int, int) { score *= shape.scale; });
    if (shape.bias)
      forScores(scores, [&](float &score, int half, int at) {
        if (places[half] < length && first + at < keyLength)
          score += shape.biasOf(head, row, places[half], first + at);
      });
    if (!whole)
      forScores(scores, [&](float &score, int half, int at) {
        score = sees(sights[half], first + at, segments[half], keySegments[stage][at]) ? score : -INFINITY;
      });
    float highest[2] = {largest[0], largest[1]};
    forScores(scores, [&](float &score, int half, int) { highest[half] = score > highest[half] ? score : highest[half]; });
    float base[2];
    ZP_UNROLL
    for (int half = 0; half < 2; ++half) {
      highest[half] = reduceLanes(highest[half], 4, Maximum());
      base[half] = highest[half] == -INFINITY ? 0.0f : highest[half]; // nothing seen yet: differences are numbers
      const float correction = exponential<T>(largest[half] - base[half]);
      largest[half] = highest[half];
      sum[half] *= correction;
      ZP_UNROLL
      for (int n = 0; n < D / 8; ++n)
        ZP_UNROLL
      for (int e = 0; e < 2; ++e)
        out[n][2 * half + e] *= correction;
    }
    forScores(scores, [&](float &score, int half, int) {
      score = exponential<T>(score - base[half]);
      sum[half] += score;
    });
    if constexpr (kDropped) {
      ZP_UNROLL
      for (int n = 0; n < kKeys / 8; ++n)
        ZP_UNROLL
      for (int half = 0; half < 2; ++half) {
        const auto kept = shape.keptPair(head, row, places[half], first + n * 8 + lane % 4 * 2);
        scores[n][2 * half] *= kept.at[0];
        scores[n][2 * half + 1] *= kept.at[1];
      }
    }
    addWeighted<D>(out, scores, values);
  }

  float shares[2];
  ZP_UNROLL
  for (int half = 0; half < 2; ++half) {
    sum[half] = reduceLanes(sum[half], 4, Sum());
    shares[half] = sum[half] == 0 ? 0.0f : 1 / sum[half];
    if (lane % 4 == 0 && places[half] < length)
      logSumExp[head * shape.tokens + row * length + places[half]] = sum[half] == 0 ? -INFINITY : largest[half] + logf(sum[half]);
  }
  storeRows<D>(target, row, length, firstQuery + own, heads, head, headDim, out, shares);
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_ATTENTION_CUDA_ATTEND_MATRIX_H
