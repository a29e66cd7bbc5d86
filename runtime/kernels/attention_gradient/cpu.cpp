#include <algorithm>
#include <cmath>

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/attention_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/attention/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// out[rows][columns] += A·B, every operand padded to whole register tiles.
template <bool Direct>
HWY_INLINE void addProduct(int64_t rows, int64_t columns, int64_t k, const float *a, int64_t aStride, const float *b, int64_t stride,
                           float *out) {
  for (int64_t column = 0; column < columns; column += kNR)
    for (int64_t i = 0; i < rows; i += kMR) {
      float *to = out + i * stride + column;
      runMicro<Direct>(panelVectors(column, columns), k, a + i * (Direct ? aStride : 1), aStride, b + column, stride, to, stride, to, stride);
    }
}

/// From scores and grad_out·valueᵀ to probabilities and the scores' gradients, in place; 0 where the mask hides.
HWY_INLINE void gradientRow(const Meeting &meeting, const int32_t *tileSegments, int64_t i, float scale, float logSumExp, float delta,
                            float *scores, float *gradients) {
  const F32 d;
  const VF32 factor = hn::Set(d, scale), shift = hn::Set(d, logSumExp), back = hn::Set(d, delta);
  for (int64_t c = 0; c < kKeyTile; c += kLanes) {
    VF32 p = expNegative(d, hn::MulSub(factor, hn::Load(d, scores + c), shift));
    VF32 gradient = hn::Mul(hn::Mul(factor, p), hn::Sub(hn::Load(d, gradients + c), back));
    if (!meeting.whole) {
      const auto visible = visibleLanes(meeting, tileSegments, i, c);
      p = hn::IfThenElseZero(visible, p);
      gradient = hn::IfThenElseZero(visible, gradient);
    }
    hn::Store(p, d, scores + c);
    hn::Store(gradient, d, gradients + c);
  }
}

/// Where the gradient of queries is summed in f32: grad_query itself, or the workspace. Row of token t, head h.
struct QueryGradient {
  float *data;
  int64_t tokenStride, headStride;
  float *row(int64_t token, int64_t head) const { return data + token * tokenStride + head * headStride; }
};

/// One row of tokens and one head of keys with the query heads that read it: no other task writes what this one does.
template <typename T>
HWY_NOINLINE void gradientTask(const AttentionGradientArgs &args, int64_t rowStart, int64_t kvHead, const QueryGradient &sums, float *deltas) {
  HWY_ALIGN float queries[kQueryRows * kMaxHeadDim], gradOuts[kQueryRows * kMaxHeadDim], gradQueries[kQueryRows * kMaxHeadDim];
  HWY_ALIGN float packedKeys[kKeyTile * kMaxHeadDim], packedValues[kKeyTile * kMaxHeadDim], keyRows[kKeyTile * kMaxHeadDim];
  HWY_ALIGN float gradKeys[kKeyTile * kMaxHeadDim], gradValues[kKeyTile * kMaxHeadDim];
  HWY_ALIGN float scores[kQueryRows * kKeyTile], gradScores[kQueryRows * kKeyTile];
  HWY_ALIGN int32_t tileSegments[kKeyTile];
  const F32 d;
  const int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads, stride = roundUpLanes(headDim);
  const int64_t group = args.heads / args.kvHeads, queryStride = args.heads * headDim, kvStride = args.kvHeads * headDim;
  const int64_t rowEnd = rowStart + args.length;
  const auto scale = static_cast<float>(args.scale);
  const int32_t *segments = args.segments.as<int32_t>();

  for (int64_t head = kvHead * group; head < (kvHead + 1) * group; ++head)
    for (int64_t t = rowStart; t < rowEnd; ++t) {
      const T *gradOut = args.gradOut.as<T>() + t * queryStride + head * headDim, *out = args.out.as<T>() + t * queryStride + head * headDim;
      VF32 dot = hn::Zero(d);
      forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR { dot = hn::MulAdd(vector(d, gradOut + c), vector(d, out + c), dot); });
      deltas[head * tokens + t] = sumLanes(d, dot);
      std::memset(sums.row(t, head), 0, sizeof(float) * headDim);
    }

  for (int64_t key = rowStart; key < rowEnd; key += kKeyTile) {
    const int64_t keys = std::min(kKeyTile, rowEnd - key), at = key * kvStride + kvHead * headDim;
    packB(args.key.as<T>() + at, kvStride, true, keys, headDim, packedKeys);
    packB(args.value.as<T>() + at, kvStride, true, keys, headDim, packedValues);
    gatherRows(args.key.as<T>() + at, kvStride, keys, kKeyTile, headDim, keyRows, stride);
    std::memset(gradKeys, 0, sizeof(float) * kKeyTile * stride);
    std::memset(gradValues, 0, sizeof(float) * kKeyTile * stride);
    std::memset(tileSegments, 0, sizeof(tileSegments));
    std::memcpy(tileSegments, segments + key, sizeof(int32_t) * keys);
    // Blocks of queries lie at multiples of kQueryRows from the row's start; none before the tile's first key sees it.
    const int64_t firstBlock = rowStart + (key - rowStart) / kQueryRows * kQueryRows;
    for (int64_t head = kvHead * group; head < (kvHead + 1) * group; ++head)
      for (int64_t query = firstBlock; query < rowEnd; query += kQueryRows) {
        Meeting meeting{query, std::min(kQueryRows, rowEnd - query), key, keys, args.length, args.window, segments};
        if (!meeting.any())
          continue;
        const int64_t rows = (meeting.queries + kMR - 1) / kMR * kMR, from = query * queryStride + head * headDim;
        gatherRows(args.query.as<T>() + from, queryStride, meeting.queries, rows, headDim, queries, stride);
        gatherRows(args.gradOut.as<T>() + from, queryStride, meeting.queries, rows, headDim, gradOuts, stride);
        scoreTile(meeting, queries, stride, packedKeys, headDim, scores);
        scoreTile(meeting, gradOuts, stride, packedValues, headDim, gradScores);
        for (int64_t i = 0; i < meeting.queries; ++i)
          gradientRow(meeting, tileSegments, i, scale, args.logSumExp.as<float>()[head * tokens + query + i],
                      deltas[head * tokens + query + i], scores + i * kKeyTile, gradScores + i * kKeyTile);
        std::memset(scores + meeting.queries * kKeyTile, 0, sizeof(float) * (rows - meeting.queries) * kKeyTile);
        std::memset(gradScores + meeting.queries * kKeyTile, 0, sizeof(float) * (rows - meeting.queries) * kKeyTile);
        addProduct<false>(kKeyTile, headDim, meeting.queries, scores, kKeyTile, gradOuts, stride, gradValues);
        addProduct<false>(kKeyTile, headDim, meeting.queries, gradScores, kKeyTile, queries, stride, gradKeys);
        std::memset(gradQueries, 0, sizeof(float) * rows * stride);
        addProduct<true>(rows, headDim, meeting.endKey(meeting.queries - 1), gradScores, kKeyTile, keyRows, stride, gradQueries);
        for (int64_t i = 0; i < meeting.queries; ++i) {
          float *sum = sums.row(query + i, head);
          forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR {
            vector(d, hn::Add(vector(d, sum + c), hn::LoadU(d, gradQueries + i * stride + c)), sum + c);
          });
        }
      }
    for (int64_t i = 0; i < keys; ++i) {
      T *gradKey = args.gradKey.as<T>() + at + i * kvStride, *gradValue = args.gradValue.as<T>() + at + i * kvStride;
      forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR {
        vector(d, hn::LoadU(d, gradKeys + i * stride + c), gradKey + c);
        vector(d, hn::LoadU(d, gradValues + i * stride + c), gradValue + c);
      });
    }
  }
  if constexpr (sizeof(T) == 2)
    for (int64_t head = kvHead * group; head < (kvHead + 1) * group; ++head)
      for (int64_t t = rowStart; t < rowEnd; ++t) {
        T *gradQuery = args.gradQuery.as<T>() + t * queryStride + head * headDim;
        const float *sum = sums.row(t, head);
        forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR { vector(d, vector(d, sum + c), gradQuery + c); });
      }
}

} // namespace

void attentionGradientCpu(const KernelContext &context, const AttentionGradientArgs &args) {
  const int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads;
  float *deltas = args.workspace.as<float>();
  const bool f32 = args.query.dtype == DType::F32;
  const QueryGradient sums = f32 ? QueryGradient{args.gradQuery.as<float>(), args.heads * headDim, headDim}
                                 : QueryGradient{deltas + args.heads * tokens, headDim, tokens * headDim};
  parallelFor(context, tokens / args.length * args.kvHeads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t rowStart = task / args.kvHeads * args.length, kvHead = task % args.kvHeads;
      f32 ? gradientTask<float>(args, rowStart, kvHead, sums, deltas) : gradientTask<Bf16>(args, rowStart, kvHead, sums, deltas);
    }
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(attentionGradientCpu);
namespace cpu {
void run(const KernelContext &context, const AttentionGradientArgs &args) { HWY_DYNAMIC_DISPATCH(attentionGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
