// What attention and its gradient share: a tile of keys against a block of queries, both of one row and head.
//
// Keys are taken kKeyTile at a time from the row's start, queries kQueryRows at a time. Whatever the mask hides entirely is
// skipped: tiles by position, window and segment, register tiles by position; the rest is masked element by element.
#if defined(ZP_RUNTIME_KERNELS_ATTENTION_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_ATTENTION_TILE_INL_H
#undef ZP_RUNTIME_KERNELS_ATTENTION_TILE_INL_H
#else
#define ZP_RUNTIME_KERNELS_ATTENTION_TILE_INL_H
#endif

#include "runtime/kernels/attention/check.h"
#include "runtime/kernels/attention/visible.h"
#include "runtime/kernels/gemm/pack-inl.h"
#include "runtime/kernels/gemm/pair_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

inline constexpr int64_t kKeyTile = 96, kQueryRows = 32;
static_assert(kKeyTile % kNR == 0 && kQueryRows % kMR == 0);

HWY_INLINE int64_t roundUpLanes(int64_t value) { return (value + kLanes - 1) / kLanes * kLanes; }

/// `rows` rows of a head into f32 rows of `stride` elements, zero from headDim on and for rows up to `allRows`.
template <typename T>
HWY_INLINE void gatherRows(const T *source, int64_t sourceStride, int64_t rows, int64_t allRows, int64_t headDim, float *target, int64_t stride) {
  packRows(source, sourceStride, headDim, rows, target, stride, stride);
  std::memset(target + rows * stride, 0, sizeof(float) * (allRows - rows) * stride);
}

/// The lowest and highest of some places' segments.
struct SegmentRange {
  int32_t low, high;
  bool meets(const SegmentRange &other) const { return high >= other.low && other.high >= low; }
  bool isOne() const { return low == high; }
};
HWY_INLINE SegmentRange segmentRange(const int32_t *segments, int64_t count) {
  const hn::Rebind<int32_t, F32> d;
  auto low = hn::Set(d, segments[0]), high = low;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto some = hn::LoadU(d, segments + i);
    low = hn::Min(low, some);
    high = hn::Max(high, some);
  }
  SegmentRange range{hn::GetLane(hn::MinOfLanes(d, low)), hn::GetLane(hn::MaxOfLanes(d, high))};
  for (; i < count; ++i)
    range = {std::min(range.low, segments[i]), std::max(range.high, segments[i])};
  return range;
}

/// Where a block of queries meets a tile of keys, both given by their places in their row, as `segments` and `keySegments` are.
struct Meeting {
  int64_t query, queries, key, keys;
  AttentionMask mask;
  const int32_t *segments, *keySegments;
  bool whole = false; // every query sees every key

  /// False when no query sees a key. Segments are compared by range: exact for packed rows, cautious for any others.
  bool any() {
    const VisiblePlaces ofFirst = mask.of(query), ofLast = mask.of(query + queries - 1);
    if (key >= ofLast.end || key + keys <= ofFirst.first)
      return false;
    const SegmentRange ofQueries = segmentRange(segments + query, queries), ofKeys = segmentRange(keySegments + key, keys);
    if (!ofQueries.meets(ofKeys))
      return false;
    whole = keys == kKeyTile && key + keys <= ofFirst.end && key >= ofLast.first && ofQueries.isOne() && ofKeys.isOne();
    return true;
  }
  /// Keys [first, end) of the tile that some of `rows` queries from row `i` of the block on can see, by position.
  int64_t firstKey(int64_t i) const { return std::max<int64_t>(0, mask.of(query + i).first - key); }
  int64_t endKey(int64_t i, int64_t rows = kMR) const { return std::min(keys, mask.of(query + std::min<int64_t>(i + rows, queries) - 1).end - key); }
};

/// What one query of a meeting sees of the tile: its bounds and its segment are looked up once, for all vectors of the row.
class RowSight {
public:
  /// tileSegments: the tile's, kKeyTile of them.
  HWY_INLINE RowSight(const Meeting &meeting, const int32_t *tileSegments, int64_t i) : whole(meeting.whole), tileSegments(tileSegments) {
    const hn::Rebind<int32_t, F32> di;
    const VisiblePlaces visible = meeting.mask.of(meeting.query + i);
    const int64_t endKey = std::clamp<int64_t>(visible.end - meeting.key, 0, meeting.keys);
    end = whole ? kKeyTile : roundUpLanes(endKey);
    last = hn::Set(di, static_cast<int32_t>(endKey) - 1);
    first = hn::Set(di, static_cast<int32_t>(std::clamp<int64_t>(visible.first - meeting.key, 0, kKeyTile)));
    segment = hn::Set(di, meeting.segments[meeting.query + i]);
  }
  /// Columns up to the last that it can see, in whole vectors: beyond it all is masked.
  HWY_INLINE int64_t endColumn() const { return end; }
  /// `score` where it sees the column, else `hidden`.
  HWY_INLINE VF32 masked(VF32 score, VF32 hidden, int64_t column) const {
    if (whole)
      return score;
    const F32 d;
    const hn::Rebind<int32_t, F32> di;
    const auto at = hn::Iota(di, static_cast<int32_t>(column));
    const auto outside = hn::Or(hn::Gt(at, last), hn::Gt(first, at));
    const auto same = hn::Eq(hn::Load(di, tileSegments + column), segment);
    return hn::IfThenElse(hn::RebindMask(d, hn::AndNot(outside, same)), score, hidden);
  }

private:
  bool whole;
  const int32_t *tileSegments;
  int64_t end;
  hn::Vec<hn::Rebind<int32_t, F32>> last, first, segment;
};

template <typename T> HWY_INLINE void zeroColumns(T *row, int64_t from) {
  for (int64_t c = from; c < kKeyTile; c += kLanes)
    store(F32(), hn::Zero(F32()), row + c);
}

/// Softmax works in powers of two: the factor goes into the scores' scale.
inline constexpr float kLog2E = 1.44269504088896341f;
inline constexpr double kLn2 = 0.693147180559945309;

/// The bias of a meeting, times log2(e): a row of values for every query alike (by key), or one in which each query begins a value
/// before the query before it (by distance). Its gradient is gathered the same way.
class TileBias {
public:
  template <typename Args>
  TileBias(const Args &args, int64_t head)
      : source(args.bias ? args.bias.template as<float>() + head * args.bias.dims[1] : nullptr), count(args.bias ? args.bias.dims[1] : 0),
        length(args.length), byDistance(args.biasByDistance) {}
  explicit operator bool() const { return source; }
  /// Of the keys' row `row`. Where there is no key, or no query, values are 0.
  void load(const Meeting &meeting, int64_t row) {
    const F32 d;
    begin = byDistance ? meeting.key - meeting.query - (kQueryRows - 1) + length - 1 : row * meeting.mask.keyLength + meeting.key;
    const auto [from, end] = given();
    std::memset(values, 0, sizeof(values));
    forVectors(from, end,
               [&](int64_t v, auto vector) HWY_ATTR { vector(d, hn::Mul(hn::Set(d, kLog2E), vector(d, source + begin + v)), values + v); });
  }
  /// kKeyTile values of query row `i`, unaligned.
  const float *row(int64_t i) const { return values + offset(i); }
  int64_t offset(int64_t i) const { return byDistance ? kQueryRows - 1 - i : 0; }
  /// Adds what was gathered in the order of `values` to the head's gradient, which is as long as the bias.
  void addGradient(const float *gathered, float *gradient) const {
    const F32 d;
    const auto [from, end] = given();
    forVectors(from, end, [&](int64_t v, auto vector) HWY_ATTR {
      vector(d, hn::Add(vector(d, gradient + begin + v), hn::LoadU(d, gathered + v)), gradient + begin + v);
    });
  }
  static constexpr int64_t kValues = kQueryRows + kKeyTile;

private:
  std::pair<int64_t, int64_t> given() const { return {std::max<int64_t>(0, -begin), std::min(byDistance ? kValues : kKeyTile, count - begin)}; }
  const float *source;
  int64_t count, length, begin = 0;
  bool byDistance;
  HWY_ALIGN float values[kValues];
};

/// scores[kQueryRows][kKeyTile] = queries · keysᵀ, register tiles that the mask hides left as they are.
HWY_INLINE void scoreTile(const Meeting &meeting, const float *queries, int64_t queryStride, const float *packedKeys, int64_t headDim,
                          float *scores) {
  for (int64_t column = 0; column < meeting.keys; column += kNR) {
    const int vectors = panelVectors(column, meeting.keys);
    for (int64_t i = 0; i < meeting.queries; i += kMR)
      if (column < meeting.endKey(i) && column + vectors * kLanes > meeting.firstKey(i))
        runMicro<true>(vectors, headDim, queries + i * queryStride, queryStride, packedKeys + column * headDim, vectors * kLanes, nullptr, 0,
                       scores + i * kKeyTile + column, kKeyTile);
  }
}

//===--- bf16 on an engine: operands in pairs along the sum's dimension --------===//

/// Pairs of a head's row, padded; and the most that any head has.
HWY_INLINE int64_t pairsOf(int64_t elements) { return (elements + 2 * kPairStep - 1) / (2 * kPairStep) * kPairStep; }
inline constexpr int64_t kMaxHeadPairs = kMaxHeadDim / 2, kKeyPairs = kKeyTile / 2, kQueryPairs = kQueryRows / 2;
/// A row of outputs is padded to whole panels of any engine.
inline constexpr int64_t kMaxPaddedHead = 288;
static_assert(kKeyTile % (2 * kPairStep) == 0 && kQueryRows % (2 * kPairStep) == 0 && kKeyTile % 32 == 0 && kKeyTile % 48 == 0);

HWY_INLINE int64_t roundUpTo(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

/// Rows of a head as rows of `stride` pairs, zero beyond headDim and for rows up to `allRows`.
HWY_INLINE void gatherPairs(const Bf16 *source, int64_t sourceStride, int64_t rows, int64_t allRows, int64_t headDim, uint32_t *target,
                            int64_t stride) {
  std::memset(target, 0, sizeof(uint32_t) * allRows * stride);
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(target + i * stride, source + i * sourceStride, sizeof(Bf16) * headDim);
}

/// Panels of a transposed [keys, headDim] tile: pairs along headDim, columns are keys. kKeyTile columns in all.
HWY_INLINE void packPairsAlongHead(const Bf16Engine &engine, const Bf16 *source, int64_t sourceStride, int64_t keys, int64_t headDim,
                                   uint32_t *target) {
  const int64_t pairs = pairsOf(headDim);
  for (int64_t key = 0; key < kKeyTile; key += engine.columns)
    transposePairs(source + key * sourceStride, sourceStride, std::clamp<int64_t>(keys - key, 0, engine.columns), headDim, target + key * pairs,
                   engine.columns, engine.columns, pairs);
}

/// Panels of a [rows, headDim] block: pairs along its rows, columns along headDim.
HWY_INLINE void packPairsAlongRows(const Bf16Engine &engine, const Bf16 *source, int64_t sourceStride, int64_t rows, int64_t headDim, int64_t pairs,
                                   uint32_t *target) {
  for (int64_t column = 0; column < headDim; column += engine.columns)
    interleaveRows(source + column, sourceStride, std::min(engine.columns, headDim - column), rows, target + column * pairs, engine.columns,
                   engine.columns, pairs);
}

/// scoreTile on an engine.
HWY_INLINE void scorePairs(const Bf16Engine &engine, const Meeting &meeting, const uint32_t *queries, int64_t pairs, const uint32_t *packedKeys,
                           float *scores) {
  for (int64_t i = 0; i < meeting.queries; i += engine.rows)
    for (int64_t column = 0; column < meeting.keys; column += engine.columns)
      if (column < meeting.endKey(i, engine.rows) && column + engine.columns > meeting.firstKey(i))
        engine.multiply(pairs, queries + i * pairs, pairs, packedKeys + column * pairs, nullptr, 0, scores + i * kKeyTile + column, kKeyTile);
}

/// out[rows][headDim padded] += A·B: A's rows of `aStride` pairs from `firstPair` on, B packed along its rows (`bPairs` of them).
HWY_INLINE void addPairs(const Bf16Engine &engine, int64_t rows, int64_t headDim, int64_t firstPair, int64_t pairs, const uint32_t *a,
                         int64_t aStride, const uint32_t *b, int64_t bPairs, float *out, int64_t outStride) {
  for (int64_t column = 0; column < headDim; column += engine.columns)
    for (int64_t i = 0; i < rows; i += engine.rows) {
      float *to = out + i * outStride + column;
      engine.multiply(pairs, a + i * aStride + firstPair, aStride, b + column * bPairs + firstPair * engine.columns, to, outStride, to, outStride);
    }
}

/// Rounds rows of a tile of scores to bf16.
HWY_INLINE void roundTile(const float *source, int64_t rows, Bf16 *target) {
  static_assert(kKeyTile % (2 * kLanes) == 0);
  const F32 d;
  for (int64_t i = 0; i < rows * kKeyTile; i += 2 * kLanes)
    storeTwo(d, hn::Load(d, source + i), hn::Load(d, source + i + kLanes), target + i);
}

/// target[p][key] = rows 2p (low half) and 2p + 1 of a tile of scores, rounded to bf16: interleaveRows of roundTile.
HWY_INLINE void interleaveTile(const float *source, uint32_t *target) {
  const F32 d;
  const hn::Rebind<uint32_t, F32> du32;
  for (int64_t p = 0; p < kQueryPairs; ++p, source += 2 * kKeyTile, target += kKeyTile)
    for (int64_t c = 0; c < kKeyTile; c += kLanes) {
      const auto low = bf16Bits(d, hn::Load(d, source + c)), high = bf16Bits(d, hn::Load(d, source + kKeyTile + c));
      hn::StoreU(hn::Or(hn::ShiftRight<16>(low), hn::And(high, hn::Set(du32, 0xffff0000u))), du32, target + c);
    }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
