#include <algorithm>
#include <cmath>

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/attention/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/attention/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// Queries of one task: the tiles of keys and values are packed once for all of them.
constexpr int64_t kTaskQueries = 128;
/// Where a row of scores begins: below any real score, yet finite, so that differences of it are numbers.
constexpr float kLowest = -1e30f;

/// Running softmax of the task's queries: outputs not yet divided by `sum`, which is of exp(score - largest).
struct State {
  HWY_ALIGN float out[kTaskQueries * kMaxHeadDim];
  float largest[kTaskQueries], sum[kTaskQueries];
};

/// Turns a row of raw scores into exp(scale·score - largest), masked to 0, and brings the row's state up to date.
HWY_INLINE void softmaxRow(const Meeting &meeting, const int32_t *tileSegments, int64_t i, float scale, float *scores, float *out,
                           int64_t outStride, float &largest, float &sum) {
  const F32 d;
  const VF32 factor = hn::Set(d, scale), hidden = hn::Set(d, -INFINITY);
  VF32 top = hn::Set(d, largest);
  for (int64_t c = 0; c < kKeyTile; c += kLanes) {
    VF32 score = hn::Mul(factor, hn::Load(d, scores + c));
    if (!meeting.whole)
      score = hn::IfThenElse(visibleLanes(meeting, tileSegments, i, c), score, hidden);
    hn::Store(score, d, scores + c);
    top = hn::Max(top, score);
  }
  const float newLargest = hn::GetLane(hn::MaxOfLanes(d, top));
  const VF32 shift = hn::Set(d, newLargest);
  VF32 partial = hn::Zero(d);
  for (int64_t c = 0; c < kKeyTile; c += kLanes) {
    const VF32 p = expNegative(d, hn::Sub(hn::Load(d, scores + c), shift));
    hn::Store(p, d, scores + c);
    partial = hn::Add(partial, p);
  }
  if (newLargest != largest) {
    const float correction = std::exp(largest - newLargest);
    sum *= correction;
    for (int64_t c = 0; c < outStride; c += kLanes)
      hn::StoreU(hn::Mul(hn::Set(d, correction), hn::LoadU(d, out + c)), d, out + c);
    largest = newLargest;
  }
  sum += sumLanes(d, partial);
}

template <typename T>
HWY_NOINLINE void attendTask(const AttentionArgs &args, int64_t head, int64_t firstQuery, int64_t queries) {
  HWY_ALIGN float queryRows[kTaskQueries * kMaxHeadDim];
  HWY_ALIGN float packedKeys[kKeyTile * kMaxHeadDim];
  HWY_ALIGN float valueRows[kKeyTile * kMaxHeadDim];
  HWY_ALIGN float scores[kQueryRows * kKeyTile];
  HWY_ALIGN int32_t tileSegments[kKeyTile];
  State state;
  const F32 d;
  const int64_t headDim = args.query.dims[1] / args.heads, stride = roundUpLanes(headDim);
  const int64_t kvHead = head / (args.heads / args.kvHeads), kvStride = args.kvHeads * headDim, queryStride = args.heads * headDim;
  const int64_t allQueries = (queries + kMR - 1) / kMR * kMR;
  const auto scale = static_cast<float>(args.scale);
  gatherRows(args.query.as<T>() + firstQuery * queryStride + head * headDim, queryStride, queries, allQueries, headDim, queryRows, stride);
  std::memset(state.out, 0, sizeof(float) * allQueries * stride);
  std::fill_n(state.largest, queries, kLowest);
  std::fill_n(state.sum, queries, 0.0f);

  const int64_t rowStart = firstQuery / args.length * args.length;
  for (int64_t key = rowStart; key < firstQuery + queries; key += kKeyTile) {
    const int64_t keys = std::min(kKeyTile, rowStart + args.length - key);
    Meeting all{firstQuery, queries, key, keys, args.length, args.window, args.segments.as<int32_t>()};
    if (!all.any())
      continue;
    const int64_t at = key * kvStride + kvHead * headDim;
    packB(args.key.as<T>() + at, kvStride, true, keys, headDim, packedKeys);
    packRows(args.value.as<T>() + at, kvStride, headDim, keys, valueRows, stride, stride);
    std::memset(tileSegments, 0, sizeof(tileSegments));
    std::memcpy(tileSegments, all.segments + key, sizeof(int32_t) * keys);
    for (int64_t row = 0; row < queries; row += kQueryRows) {
      Meeting meeting = all;
      meeting.query += row;
      meeting.queries = std::min(kQueryRows, queries - row);
      meeting.whole = false;
      if (!meeting.any())
        continue;
      scoreTile(meeting, queryRows + row * stride, stride, packedKeys, headDim, scores);
      for (int64_t i = 0; i < meeting.queries; ++i)
        softmaxRow(meeting, tileSegments, i, scale, scores + i * kKeyTile, state.out + (row + i) * stride, stride,
                   state.largest[row + i], state.sum[row + i]);
      for (int64_t i = meeting.queries; i % kMR != 0; ++i) // rows that only fill the register tile
        std::memset(scores + i * kKeyTile, 0, sizeof(float) * kKeyTile);
      for (int64_t column = 0; column < headDim; column += kNR)
        for (int64_t i = 0; i < meeting.queries; i += kMR) {
          const int64_t first = meeting.firstKey(i), end = meeting.endKey(i);
          float *out = state.out + (row + i) * stride + column;
          if (first < end)
            runMicro<true>(panelVectors(column, headDim), end - first, scores + i * kKeyTile + first, kKeyTile,
                           valueRows + first * stride + column, stride, out, stride, out, stride);
        }
    }
  }
  const int64_t tokens = args.query.dims[0];
  for (int64_t i = 0; i < queries; ++i) {
    args.logSumExp.as<float>()[head * tokens + firstQuery + i] = state.largest[i] + std::log(state.sum[i]);
    const VF32 divisor = hn::Set(d, state.sum[i]);
    T *target = args.target.as<T>() + (firstQuery + i) * queryStride + head * headDim;
    forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR {
      vector(d, hn::Div(hn::LoadU(d, state.out + i * stride + c), divisor), target + c);
    });
  }
}

} // namespace

void attentionCpu(const KernelContext &context, const AttentionArgs &args) {
  const int64_t rows = args.query.dims[0] / args.length, blocks = (args.length + kTaskQueries - 1) / kTaskQueries;
  parallelFor(context, rows * args.heads * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t block = task % blocks, head = task / blocks % args.heads, row = task / blocks / args.heads;
      const int64_t first = row * args.length + block * kTaskQueries;
      const int64_t queries = std::min(kTaskQueries, args.length - block * kTaskQueries);
      args.query.dtype == DType::F32 ? attendTask<float>(args, head, first, queries) : attendTask<Bf16>(args, head, first, queries);
    }
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(attentionCpu);
namespace cpu {
void run(const KernelContext &context, const AttentionArgs &args) { HWY_DYNAMIC_DISPATCH(attentionCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
