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
#include "runtime/kernels/gemm/micro-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

inline constexpr int64_t kKeyTile = 96, kQueryRows = 32;
static_assert(kKeyTile % kNR == 0 && kQueryRows % kMR == 0);

HWY_INLINE int64_t roundUpLanes(int64_t value) { return (value + kLanes - 1) / kLanes * kLanes; }

/// `rows` rows of a head into f32 rows of `stride` elements, zero from headDim on and for rows up to `allRows`.
template <typename T>
HWY_INLINE void gatherRows(const T *source, int64_t sourceStride, int64_t rows, int64_t allRows, int64_t headDim, float *target,
                           int64_t stride) {
  packRows(source, sourceStride, headDim, rows, target, stride, stride);
  std::memset(target + rows * stride, 0, sizeof(float) * (allRows - rows) * stride);
}

/// Where a block of queries meets a tile of keys. Positions are tokens of the whole tensor.
struct Meeting {
  int64_t query, queries, key, keys, length, window;
  const int32_t *segments;
  bool whole = false; // every query sees every key

  /// False when no query sees a key. Segments are compared by range: exact for packed rows, cautious for any others.
  bool any() {
    const int64_t lastQuery = query + queries - 1, lastKey = key + keys - 1;
    if (key > lastQuery || lastKey < firstVisible(query, length, window))
      return false;
    const auto [queryLow, queryHigh] = std::minmax_element(segments + query, segments + query + queries);
    const auto [keyLow, keyHigh] = std::minmax_element(segments + key, segments + key + keys);
    if (*queryHigh < *keyLow || *keyHigh < *queryLow)
      return false;
    whole = keys == kKeyTile && lastKey <= query && key >= firstVisible(lastQuery, length, window) && *queryLow == *queryHigh &&
            *keyLow == *keyHigh && *queryLow == *keyLow;
    return true;
  }
  /// Keys [first, last) of the tile that some of the kMR queries from row `i` of the block on can see.
  int64_t firstKey(int64_t i) const { return std::max<int64_t>(0, firstVisible(query + i, length, window) - key); }
  int64_t endKey(int64_t i) const { return std::min(keys, query + std::min<int64_t>(i + kMR, queries) - key); }
};

/// Lanes of [column, column + lanes) of the tile that query row `i` sees. tileSegments: the tile's, kKeyTile of them.
HWY_INLINE hn::Mask<F32> visibleLanes(const Meeting &meeting, const int32_t *tileSegments, int64_t i, int64_t column) {
  const F32 d;
  const hn::Rebind<int32_t, F32> di;
  const int64_t query = meeting.query + i;
  const auto at = hn::Iota(di, static_cast<int32_t>(column));
  const auto last = hn::Set(di, static_cast<int32_t>(std::clamp<int64_t>(query - meeting.key, -1, kKeyTile)));
  const auto first = hn::Set(di, static_cast<int32_t>(
      std::clamp<int64_t>(firstVisible(query, meeting.length, meeting.window) - meeting.key, 0, kKeyTile)));
  const auto hidden = hn::Or(hn::Gt(at, last), hn::Gt(first, at));
  const auto same = hn::Eq(hn::Load(di, tileSegments + column), hn::Set(di, meeting.segments[query]));
  return hn::RebindMask(d, hn::AndNot(hidden, same));
}

/// scores[kQueryRows][kKeyTile] = queries · keysᵀ, register tiles that the mask hides left as they are.
HWY_INLINE void scoreTile(const Meeting &meeting, const float *queries, int64_t queryStride, const float *packedKeys, int64_t headDim,
                          float *scores) {
  for (int64_t column = 0; column < meeting.keys; column += kNR) {
    const int vectors = panelVectors(column, meeting.keys);
    for (int64_t i = 0; i < meeting.queries; i += kMR)
      if (column < meeting.endKey(i) && column + vectors * kLanes > meeting.firstKey(i))
        runMicro<true>(vectors, headDim, queries + i * queryStride, queryStride, packedKeys + column * headDim, vectors * kLanes,
                       nullptr, 0, scores + i * kKeyTile + column, kKeyTile);
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
