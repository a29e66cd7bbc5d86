#include <algorithm>
#include <cmath>

#include "runtime/kernels/attention/attention.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/attention/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/attention/dropout-inl.h"
#include "runtime/kernels/attention/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// Queries of one task: the tiles of keys and values are packed once for all of them.
constexpr int64_t kTaskQueries = 256;
/// Where a row of scores begins: below any real score, yet finite, so that differences of it are numbers.
constexpr float kLowest = -1e30f;

/// Running softmax of the task's queries, in powers of two: outputs not yet divided by `sum`.
struct State {
  HWY_ALIGN float out[kTaskQueries * kMaxPaddedHead];
  float largest[kTaskQueries], sum[kTaskQueries];
};

/// The two products of a tile in f32, operands converted.
template <typename T> class F32Products {
public:
  using Probability = float;
  F32Products(const Bf16Engine *, int64_t headDim) : headDim(headDim), stride(roundUpLanes(headDim)) {}
  int64_t outStride() const { return stride; }
  void loadQueries(const T *source, int64_t sourceStride, int64_t rows) {
    gatherRows(source, sourceStride, rows, roundUpTo(rows, kMR), headDim, queryRows, stride);
  }
  void loadTile(const T *keySource, const T *valueSource, int64_t sourceStride, int64_t keys) {
    packB(RowSource<T>(keySource, sourceStride), true, 0, headDim, 0, keys, packedKeys);
    packRows(valueSource, sourceStride, headDim, keys, valueRows, stride, stride);
  }
  void score(const Meeting &meeting, int64_t row, float *scores) {
    scoreTile(meeting, queryRows + row * stride, stride, packedKeys, headDim, scores);
  }
  /// Where the probabilities of a meeting go.
  float *probabilities(float *scores) { return scores; }
  void addValues(const Meeting &meeting, const float *scores, float *out) {
    for (int64_t column = 0; column < headDim; column += kNR)
      for (int64_t i = 0; i < meeting.queries; i += kMR) {
        const int64_t first = meeting.firstKey(i), end = meeting.endKey(i);
        float *to = out + i * stride + column;
        if (first < end)
          runMicro<true>(panelVectors(column, headDim), end - first, scores + i * kKeyTile + first, kKeyTile, valueRows + first * stride + column,
                         stride, to, stride, to, stride);
      }
  }

private:
  int64_t headDim, stride;
  HWY_ALIGN float queryRows[kTaskQueries * kMaxHeadDim];
  HWY_ALIGN float packedKeys[kKeyTile * kMaxHeadDim];
  HWY_ALIGN float valueRows[kKeyTile * kMaxHeadDim];
};

/// The same on an engine: probabilities are rounded to bf16 before they meet the values.
class PairProducts {
public:
  using Probability = Bf16;
  PairProducts(const Bf16Engine *engine, int64_t headDim)
      : engine(*engine), headDim(headDim), pairs(pairsOf(headDim)), stride(roundUpTo(headDim, engine->columns)) {
    engine->begin();
  }
  ~PairProducts() { engine.end(); }
  int64_t outStride() const { return stride; }
  void loadQueries(const Bf16 *source, int64_t sourceStride, int64_t rows) {
    gatherPairs(source, sourceStride, rows, roundUpTo(rows, kQueryRows), headDim, queryPairs, pairs);
  }
  void loadTile(const Bf16 *keySource, const Bf16 *valueSource, int64_t sourceStride, int64_t keys) {
    packPairsAlongHead(engine, keySource, sourceStride, keys, headDim, packedKeys);
    packPairsAlongRows(engine, valueSource, sourceStride, keys, headDim, kKeyPairs, packedValues);
  }
  void score(const Meeting &meeting, int64_t row, float *scores) { scorePairs(engine, meeting, queryPairs + row * pairs, pairs, packedKeys, scores); }
  Bf16 *probabilities(float *) { return rounded; }
  void addValues(const Meeting &meeting, const Bf16 *, float *out) {
    const int64_t first = meeting.firstKey(0) / (2 * kPairStep) * kPairStep;
    const int64_t end = pairsOf(meeting.endKey(0, kQueryRows));
    addPairs(engine, meeting.queries, headDim, first, end - first, reinterpret_cast<const uint32_t *>(rounded), kKeyPairs, packedValues, kKeyPairs,
             out, stride);
  }

private:
  const Bf16Engine &engine;
  int64_t headDim, pairs, stride;
  HWY_ALIGN uint32_t queryPairs[kTaskQueries * kMaxHeadPairs];
  HWY_ALIGN uint32_t packedKeys[kKeyTile * kMaxHeadPairs];
  HWY_ALIGN uint32_t packedValues[kKeyPairs * kMaxPaddedHead];
  HWY_ALIGN Bf16 rounded[kQueryRows * kKeyTile];
};

/// Makes scale·score + bias of a row of raw scores, -inf where it is masked, and returns the largest of them and of `largest`.
template <bool kWhole, bool kBiased> HWY_INLINE float scaleRow(const RowSight &sight, float scale, const float *bias, float *scores, float largest) {
  const F32 d;
  const VF32 factor = hn::Set(d, scale), hidden = hn::Set(d, -INFINITY);
  const int64_t end = kWhole ? kKeyTile : sight.endColumn();
  VF32 top = hn::Set(d, largest);
  for (int64_t c = 0; c < end; c += kLanes) {
    VF32 score = hn::Load(d, scores + c);
    if constexpr (kBiased)
      score = hn::MulAdd(factor, score, hn::LoadU(d, bias + c));
    else
      score = hn::Mul(factor, score);
    if constexpr (!kWhole)
      score = sight.masked(score, hidden, c);
    hn::Store(score, d, scores + c);
    top = hn::Max(top, score);
  }
  return hn::GetLane(hn::MaxOfLanes(d, top));
}

/// Makes probabilities 2^(score - largest) of a row of scaled scores and returns their sum. Of what the sum has, some is dropped before it
/// meets the values.
template <bool kWhole, bool kDropped, typename P>
HWY_INLINE float raiseRow(const RowSight &sight, const TileDropout &dropout, float largest, const float *scores, P *probabilities) {
  const F32 d;
  const VF32 shift = hn::Set(d, largest);
  const int64_t end = kWhole ? kKeyTile : sight.endColumn();
  VF32 sum = hn::Zero(d);
  const auto probability = [&](int64_t c) HWY_ATTR {
    const VF32 p = exp2Negative(d, hn::Sub(hn::Load(d, scores + c), shift));
    sum = hn::Add(sum, p);
    if constexpr (kDropped)
      return dropout.without(d, p, c);
    else
      return p;
  };
  int64_t c = 0;
  for (; c + 2 * kLanes <= end; c += 2 * kLanes) {
    const VF32 low = probability(c), high = probability(c + kLanes);
    storeTwo(d, low, high, probabilities + c);
  }
  if (c < end)
    store(d, probability(c), probabilities + c);
  zeroColumns(probabilities, end);
  return sumLanes(d, sum);
}

/// Makes probabilities of a meeting's raw scores and brings the rows' state up to date; `out`, `largest` and `sum` are the first's. Most
/// meetings of long rows are whole (kWhole). First all rows' largest scores, then what they change: a row that waits for its own, and for a
/// branch on it, keeps the rows behind it waiting.
template <bool kWhole, bool kBiased, bool kDropped, typename P>
HWY_INLINE void softmaxMeeting(const Meeting &meeting, const int32_t *tileSegments, float scale, const TileBias &bias, TileDropout &dropout,
                               float *scores, P *probabilities, float *out, int64_t outStride, float *largest, float *sum) {
  const F32 d;
  HWY_ALIGN float corrections[kQueryRows];
  std::copy_n(largest, kQueryRows, corrections);
  for (int64_t i = 0; i < meeting.queries; ++i)
    largest[i] =
        scaleRow<kWhole, kBiased>(RowSight(meeting, tileSegments, i), scale, kBiased ? bias.row(i) : nullptr, scores + i * kKeyTile, largest[i]);
  for (int64_t i = 0; i < kQueryRows; i += kLanes) {
    const VF32 correction = exp2Negative(d, hn::Sub(hn::Load(d, corrections + i), hn::LoadU(d, largest + i)));
    hn::Store(correction, d, corrections + i);
    hn::StoreU(hn::Mul(correction, hn::LoadU(d, sum + i)), d, sum + i);
  }
  for (int64_t i = 0; i < meeting.queries; ++i)
    if (corrections[i] != 1)
      for (int64_t c = 0; c < outStride; c += kLanes) {
        float *to = out + i * outStride + c;
        hn::StoreU(hn::Mul(hn::Set(d, corrections[i]), hn::LoadU(d, to)), d, to);
      }
  for (int64_t i = 0; i < meeting.queries; ++i) {
    const RowSight sight(meeting, tileSegments, i);
    if constexpr (kDropped)
      dropout.load(meeting.query + i, meeting.key, sight.endColumn());
    sum[i] += raiseRow<kWhole, kDropped>(sight, dropout, largest[i], scores + i * kKeyTile, probabilities + i * kKeyTile);
  }
}
template <bool kBiased, bool kDropped> HWY_INLINE void softmaxRows(const Meeting &meeting, auto &...rest) {
  if (meeting.whole)
    softmaxMeeting<true, kBiased, kDropped>(meeting, rest...);
  else
    softmaxMeeting<false, kBiased, kDropped>(meeting, rest...);
}

template <typename T, typename Products>
HWY_NOINLINE void attendTask(const AttentionArgs &args, const Bf16Engine *engine, int64_t head, int64_t row, int64_t firstQuery, int64_t queries) {
  HWY_ALIGN float scores[kQueryRows * kKeyTile];
  HWY_ALIGN int32_t tileSegments[kKeyTile];
  State state;
  const F32 d;
  const int64_t headDim = args.query.dims[1] / args.heads;
  Products products(engine, headDim);
  typename Products::Probability *probabilities = products.probabilities(scores);
  const int64_t stride = products.outStride();
  const int64_t kvHead = head / (args.heads / args.kvHeads), kvStride = args.kvHeads * headDim, queryStride = args.heads * headDim;
  const auto scale = static_cast<float>(args.scale) * kLog2E;
  const int64_t firstToken = row * args.length + firstQuery, rowKeys = row * args.keyLength;
  const AttentionMask mask(args);
  TileBias bias(args, head);
  TileDropout dropout(args, head, row);
  products.loadQueries(args.query.as<T>() + firstToken * queryStride + head * headDim, queryStride, queries);
  std::memset(state.out, 0, sizeof(float) * roundUpTo(queries, kQueryRows) * stride);
  std::fill_n(state.largest, kTaskQueries, kLowest);
  std::fill_n(state.sum, kTaskQueries, 0.0f);

  const int32_t *segments = args.segments.as<int32_t>() + row * args.length, *keySegments = args.keySegments.as<int32_t>() + rowKeys;
  const int64_t endKey = mask.of(firstQuery + queries - 1).end;
  for (int64_t key = 0; key < endKey; key += kKeyTile) {
    const int64_t keys = std::min(kKeyTile, args.keyLength - key);
    Meeting all{firstQuery, queries, key, keys, mask, segments, keySegments};
    if (!all.any())
      continue;
    const int64_t at = (rowKeys + key) * kvStride + kvHead * headDim;
    products.loadTile(args.key.as<T>() + at, args.value.as<T>() + at, kvStride, keys);
    std::memset(tileSegments, 0, sizeof(tileSegments));
    std::memcpy(tileSegments, keySegments + key, sizeof(int32_t) * keys);
    for (int64_t block = 0; block < queries; block += kQueryRows) {
      Meeting meeting = all;
      meeting.query += block;
      meeting.queries = std::min(kQueryRows, queries - block);
      meeting.whole = false;
      if (!meeting.any())
        continue;
      products.score(meeting, block, scores);
      float *out = state.out + block * stride, *largest = state.largest + block, *sum = state.sum + block;
      if (bias)
        bias.load(meeting, row);
      if (dropout && bias)
        softmaxRows<true, true>(meeting, tileSegments, scale, bias, dropout, scores, probabilities, out, stride, largest, sum);
      else if (dropout)
        softmaxRows<false, true>(meeting, tileSegments, scale, bias, dropout, scores, probabilities, out, stride, largest, sum);
      else if (bias)
        softmaxRows<true, false>(meeting, tileSegments, scale, bias, dropout, scores, probabilities, out, stride, largest, sum);
      else
        softmaxRows<false, false>(meeting, tileSegments, scale, bias, dropout, scores, probabilities, out, stride, largest, sum);
      // Rows that only fill a register tile.
      std::memset(probabilities + meeting.queries * kKeyTile, 0, sizeof(*probabilities) * (kQueryRows - meeting.queries) * kKeyTile);
      products.addValues(meeting, probabilities, out);
    }
  }
  const int64_t tokens = args.query.dims[0];
  for (int64_t i = 0; i < queries; ++i) {
    const bool sawNothing = state.sum[i] == 0; // out is zero too
    args.logSumExp.as<float>()[head * tokens + firstToken + i] =
        static_cast<float>(kLn2 * (static_cast<double>(state.largest[i]) + std::log2(static_cast<double>(state.sum[i]))));
    const VF32 divisor = hn::Set(d, sawNothing ? 1.0f : state.sum[i] * dropout.kept());
    T *target = args.target.as<T>() + (firstToken + i) * queryStride + head * headDim;
    forVectors(0, headDim,
               [&](int64_t c, auto vector) HWY_ATTR { vector(d, hn::Div(hn::LoadU(d, state.out + i * stride + c), divisor), target + c); });
  }
}

} // namespace

void attentionCpu(const KernelContext &context, const AttentionArgs &args, const Bf16Engine *engine) {
  const int64_t rows = args.query.dims[0] / args.length, blocks = (args.length + kTaskQueries - 1) / kTaskQueries;
  parallelFor(context, rows * args.heads * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t block = task % blocks, head = task / blocks % args.heads, row = task / blocks / args.heads;
      const int64_t first = block * kTaskQueries, queries = std::min(kTaskQueries, args.length - first);
      if (args.query.dtype == DType::F32)
        attendTask<float, F32Products<float>>(args, nullptr, head, row, first, queries);
      else if (args.query.dtype == DType::F16)
        attendTask<F16, F32Products<F16>>(args, nullptr, head, row, first, queries);
      else if (engine)
        attendTask<Bf16, PairProducts>(args, engine, head, row, first, queries);
      else
        attendTask<Bf16, F32Products<Bf16>>(args, nullptr, head, row, first, queries);
    }
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(attentionCpu);
void attention(const KernelContext &context, const AttentionArgs &args, const Bf16Engine *engine) {
  HWY_DYNAMIC_DISPATCH(attentionCpu)(context, args, engine && engine->forHeads ? engine->forHeads : engine);
}
void cpu::run(const KernelContext &context, const AttentionArgs &args) { attention(context, args, nativeBf16Engine()); }
} // namespace zp::rt
#endif
