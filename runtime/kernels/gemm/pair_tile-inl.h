// A tile of a bf16 product on an engine of bf16_engine.h: packing into pairs, blocks along K, sums in f32.
#if defined(ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#endif

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/gemm/pack-inl.h"
#include "runtime/kernels/gemm/tiling.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Blocking of the pair kernels: kPairBlock pairs along K. B packed is at most 384 KiB, the sums of several blocks along K as much:
/// both stay in L2, while a register tile's rows of A stay in L1. A tile of many rows has fewer columns, so that B is packed less often.
inline constexpr int64_t kPairBlock = 512, kPairColumns = 192, kPairSums = 512 * kPairColumns;
/// The tiles of a product with `m` rows. `keepsSums`: of several blocks along K. A multiple of 64 columns where they pay: then runs of
/// codes begin and end with a block.
constexpr TileLimits pairLimits(const Bf16Engine &engine, int64_t m, bool keepsSums) {
  const int64_t columns = keepsSums && m > kPairSums / kPairColumns ? kPairColumns / 2 : kPairColumns;
  return {keepsSums ? kPairSums / columns / engine.rows * engine.rows : 4096 / engine.rows * engine.rows, columns / engine.columns * engine.columns,
          engine.rows, engine.columns};
}
/// Rows of a transposed B that are packed at a time, and how much of them: a few KiB.
inline constexpr int64_t kTurnedRows = 16, kTurnedLength = 256;
/// How far ahead rows of a B that is not transposed are asked for: they are short, and memory is far.
inline constexpr int64_t kAheadRows = 32;

/// target[p·stride + j] = rows 2p (low half) and 2p+1 (high half) of a [k, columns] block, zero up to `width` and to `pairs`.
HWY_INLINE void interleaveRows(const Bf16 *source, int64_t sourceStride, int64_t columns, int64_t k, uint32_t *target, int64_t stride,
                               int64_t width, int64_t pairs) {
  const hn::ScalableTag<uint32_t> d;
  const hn::Rebind<uint16_t, decltype(d)> half;
  for (int64_t p = 0; p < pairs; ++p) {
    const Bf16 *even = source + 2 * p * sourceStride, *odd = even + sourceStride;
    const bool hasEven = 2 * p < k, hasOdd = 2 * p + 1 < k;
    uint32_t *to = target + p * stride;
    int64_t j = 0;
    for (; hasOdd && j + kLanes <= columns; j += kLanes)
      hn::StoreU(hn::Or(hn::PromoteTo(d, hn::LoadU(half, even + j)), hn::ShiftLeft<16>(hn::PromoteTo(d, hn::LoadU(half, odd + j)))), d,
                 to + j);
    for (; j < columns; ++j)
      to[j] = (hasEven ? even[j] : 0u) | (hasOdd ? uint32_t{odd[j]} << 16 : 0u);
    for (; j < width; ++j)
      to[j] = 0;
  }
}

/// target[p·stride + i] = pair p of row i, zero up to `width` and to `pairs`. The pairs of a row lie together already.
HWY_INLINE void transposePairs(const Bf16 *source, int64_t sourceStride, int64_t rows, int64_t k, uint32_t *target, int64_t stride,
                               int64_t width, int64_t pairs) {
  const int64_t whole = k / 2;
  if (sourceStride % 2 == 0 && reinterpret_cast<uintptr_t>(source) % 4 == 0) {
    // 32-bit words are moved, never computed with: f32 lanes carry them unchanged.
    packTransposed(reinterpret_cast<const float *>(source), sourceStride / 2, rows, whole, reinterpret_cast<float *>(target), stride, width);
  } else {
    for (int64_t p = 0; p < whole; ++p)
      for (int64_t i = 0; i < width; ++i)
        target[p * stride + i] =
            i < rows ? source[i * sourceStride + 2 * p] | uint32_t{source[i * sourceStride + 2 * p + 1]} << 16 : 0u;
  }
  for (int64_t p = whole; p < pairs; ++p)
    for (int64_t i = 0; i < width; ++i)
      target[p * stride + i] = i < rows && 2 * p < k ? source[i * sourceStride + 2 * p] : 0u;
}

/// target[i·stride + p] = pair p of row i of a [rows, k] block of op(A), zero up to `allRows` and to `pairs`.
HWY_INLINE void packPairsOfA(const Bf16 *a, int64_t lda, bool transposed, int64_t rows, int64_t k, uint32_t *target, int64_t stride,
                             int64_t allRows, int64_t pairs) {
  if (!transposed) {
    for (int64_t i = 0; i < allRows; ++i) {
      std::memset(target + i * stride, 0, sizeof(uint32_t) * pairs);
      if (i < rows)
        std::memcpy(target + i * stride, a + i * lda, sizeof(Bf16) * k);
    }
    return;
  }
  HWY_ALIGN uint32_t turned[kPairBlock * kMaxEngineRows];
  interleaveRows(a, lda, rows, k, turned, allRows, allRows, pairs);
  packTransposed(reinterpret_cast<const float *>(turned), allRows, pairs, allRows, reinterpret_cast<float *>(target), stride, pairs);
}

/// Packs rows [first, first + k) and columns [column, column + columns) of op(B), zero up to `pairs`: panels of `width` columns,
/// [pairs][width], one every kPairBlock · width words. A few rows of B at a time, as packB does.
HWY_INLINE void packPairsOfB(const RowSource<Bf16> &b, bool transposed, int64_t first, int64_t k, int64_t column, int64_t columns,
                             int64_t pairs, int64_t width, uint32_t *target) {
  if (transposed) {
    HWY_ALIGN Bf16 scratch[kTurnedRows * kTurnedLength];
    for (int64_t j = 0; j < Tiling::roundUp(columns, width); j += kTurnedRows) {
      const int64_t rows = HWY_MAX(HWY_MIN(kTurnedRows, columns - j), int64_t{0}); // none: padding
      uint32_t *panel = target + j / width * width * kPairBlock + j % width;
      for (int64_t from = 0; from < k; from += kTurnedLength) {
        const int64_t length = HWY_MIN(kTurnedLength, k - from);
        b.prefetch(column + j + kTurnedRows, rows, first + from, length);
        const RowBlock<Bf16> block = b.block(column + j, rows, first + from, length, scratch);
        transposePairs(block.data, block.stride, rows, length, panel + from / 2 * width, width, kTurnedRows,
                       from + length == k ? pairs - from / 2 : length / 2);
      }
    }
    return;
  }
  HWY_ALIGN Bf16 scratch[kPackRows * kPairColumns];
  for (int64_t p = 0; p < pairs; p += kPackRows / 2) {
    const int64_t rows = HWY_MAX(HWY_MIN(kPackRows, k - 2 * p), int64_t{0}); // none: padding
    b.prefetch(first + 2 * p + kAheadRows, rows, column, columns);
    const RowBlock<Bf16> block = b.block(first + 2 * p, rows, column, columns, scratch);
    for (int64_t j = 0; j < columns; j += width)
      interleaveRows(block.data + j, block.stride, HWY_MIN(width, columns - j), rows, target + j * kPairBlock + p * width, width, width,
                     kPackRows / 2);
  }
}

/// What pairTile works in: under 1 MiB, on the thread's stack.
struct PairScratch {
  HWY_ALIGN uint32_t b[kPairBlock * kPairColumns];
  HWY_ALIGN uint32_t a[kMaxEngineRows * kPairBlock];
  HWY_ALIGN float sums[kPairSums]; // a register tile's lie together, tile after tile
  HWY_ALIGN float last[kMaxEngineRows * kMaxEngineColumns];
};

/// What of B is packed after the block at hand; nothing by default. Asked for a little at a time, while the CPU multiplies.
struct NextBlock {
  int64_t first = 0, k = 0, column = 0, columns = 0;
  /// Share `index` of `count`.
  HWY_INLINE void prefetch(const RowSource<Bf16> &b, bool transposed, int64_t index, int64_t count) const {
    const int64_t rows = transposed ? columns : k, share = (rows + count - 1) / count, from = index * share;
    if (from < rows)
      b.prefetch((transposed ? column : first) + from, HWY_MIN(share, rows - from), transposed ? first : column, transposed ? k : columns);
  }
};

/// Multiplies [first, first + k) of the factors for a tile. Sums go on top of those that earlier blocks kept if it `continues`, into
/// scratch.last if it `ends`, else they are kept. For each register tile that ends: done(row, rows, column, columns, kept).
template <typename Done>
HWY_INLINE void pairBlock(const Bf16Engine &engine, const Factors<Bf16> &x, bool transposeB, int64_t first, int64_t k, const Tile &tile,
                          bool continues, bool ends, const NextBlock &next, PairScratch &scratch, const Done &done) {
  const int64_t pairs = Tiling::roundUp((k + 1) / 2, engine.pairStep);
  const auto [row, rows, column, columns] = tile;
  const int64_t registerTile = engine.rows * engine.columns, panels = (columns + engine.columns - 1) / engine.columns;
  packPairsOfB(x.b, transposeB, first, k, column, columns, pairs, engine.columns, scratch.b);
  for (int64_t i = 0; i < rows; i += engine.rows) {
    const int64_t height = HWY_MIN(engine.rows, rows - i);
    const Bf16 *block = x.a + (x.transposeA ? first * x.lda + row + i : (row + i) * x.lda + first);
    const uint32_t *pairsOfA = reinterpret_cast<const uint32_t *>(block);
    int64_t stride = x.lda / 2;
    if (x.transposeA || height != engine.rows || k != 2 * pairs || x.lda % 2 != 0 || reinterpret_cast<uintptr_t>(block) % 4 != 0) {
      packPairsOfA(block, x.lda, x.transposeA, height, k, scratch.a, kPairBlock, engine.rows, pairs);
      pairsOfA = scratch.a;
      stride = kPairBlock;
    }
    for (int64_t j = 0; j < columns; j += engine.columns) {
      if (!x.transposeA && i + 2 * engine.rows <= rows) // the next rows of A, a share with each register tile
        for (int64_t r = j / engine.columns; r < engine.rows; r += panels)
          for (int64_t p = 0; p < k; p += 32)
            hwy::Prefetch(block + (engine.rows + r) * x.lda + p);
      next.prefetch(x.b, transposeB, i / engine.rows * panels + j / engine.columns, (rows + engine.rows - 1) / engine.rows * panels);
      float *kept = scratch.sums + (i / engine.rows * panels + j / engine.columns) * registerTile;
      engine.multiply(pairs, pairsOfA, stride, scratch.b + j * kPairBlock, continues ? kept : nullptr, engine.columns, ends ? scratch.last : kept,
                      engine.columns);
      if (ends)
        done(row + i, height, column + j, HWY_MIN(engine.columns, columns - j), kept);
    }
  }
}

/// Computes a tile of op(A)·op(B), and of `branch` if there is one, and hands each finished register tile to
/// finish(row, rows, column, columns, sums, branchSums, stride), places relative to C; branchSums is null without a branch. `next`: the
/// tile that will follow, or null.
template <typename Finish>
HWY_NOINLINE void pairTile(const Bf16Engine &engine, const Factors<Bf16> &base, const Factors<Bf16> *branch, bool transposeB, const Tile &tile,
                           const Tile *next, const Finish &finish) {
  PairScratch scratch;
  engine.begin();
  for (int64_t first = 0; first < base.k; first += 2 * kPairBlock) {
    const int64_t k = HWY_MIN(2 * kPairBlock, base.k - first), end = first + k;
    NextBlock ahead;
    if (end < base.k)
      ahead = {end, HWY_MIN(2 * kPairBlock, base.k - end), tile.column, tile.columns};
    else if (next)
      ahead = {0, HWY_MIN(2 * kPairBlock, base.k), next->column, next->columns};
    pairBlock(engine, base, transposeB, first, k, tile, first > 0, !branch && end == base.k, ahead, scratch,
              [&](int64_t row, int64_t rows, int64_t column, int64_t columns, const float *) HWY_ATTR {
                finish(row, rows, column, columns, scratch.last, nullptr, engine.columns);
              });
  }
  if (branch)
    pairBlock(engine, *branch, transposeB, 0, branch->k, tile, false, true, NextBlock(), scratch,
              [&](int64_t row, int64_t rows, int64_t column, int64_t columns, const float *kept) HWY_ATTR {
                finish(row, rows, column, columns, kept, scratch.last, engine.columns);
              });
  engine.end();
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
