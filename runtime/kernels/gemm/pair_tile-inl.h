// A tile of a bf16 product on an engine of bf16_engine.h: packing into pairs, blocks along K, sums in f32.
#if defined(ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#endif

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/gemm/pack_pairs-inl.h"
#include "runtime/kernels/gemm/tiling.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Sums of several blocks along K: 384 KiB. They pass through L2, asked for ahead, while the packed B stays there and a register tile's rows
/// of A stay near. A tile of many rows has fewer columns, so that B is packed less often.
inline constexpr int64_t kPairSums = 512 * kPairColumns;
/// The tiles of a product with `m` rows. `keepsSums`: of several blocks along K. A multiple of 32 columns: codes are decoded so many at a time.
constexpr TileLimits pairLimits(const Bf16Engine &engine, int64_t m, bool keepsSums) {
  const int64_t columns = keepsSums && m > kPairSums / kPairColumns ? kPairColumns / 2 : kPairColumns;
  return {keepsSums ? kPairSums / columns / engine.rows * engine.rows : 4096 / engine.rows * engine.rows, columns / engine.columns * engine.columns,
          engine.rows, engine.columns};
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
      next.prefetch(x.b, transposeB, i / engine.rows * panels + j / engine.columns, (rows + engine.rows - 1) / engine.rows * panels);
      float *kept = scratch.sums + (i / engine.rows * panels + j / engine.columns) * registerTile;
      Ahead ahead;
      if (!x.transposeA && i + 2 * engine.rows <= rows) { // the next rows of A, a share with each register tile
        const int64_t share = (engine.rows + panels - 1) / panels, from = j / engine.columns * share;
        ahead.rows = block + (engine.rows + from) * x.lda;
        ahead.stride = x.lda * static_cast<int64_t>(sizeof(Bf16));
        ahead.count = HWY_MIN(share, engine.rows - from);
      }
      if (continues || !ends)
        ahead.sums = kept + registerTile;
      engine.multiply(pairs, pairsOfA, stride, scratch.b + j * kPairBlock, continues ? kept : nullptr, engine.columns, ends ? scratch.last : kept,
                      engine.columns, ahead);
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
              [&](int64_t row, int64_t rows, int64_t column, int64_t columns, const float *)
                  HWY_ATTR { finish(row, rows, column, columns, scratch.last, nullptr, engine.columns); });
  }
  if (branch)
    pairBlock(engine, *branch, transposeB, 0, branch->k, tile, false, true, NextBlock(), scratch,
              [&](int64_t row, int64_t rows, int64_t column, int64_t columns, const float *kept)
                  HWY_ATTR { finish(row, rows, column, columns, kept, scratch.last, engine.columns); });
  engine.end();
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
