// A tile of a bf16 product on an engine of bf16_engine.h: packing into pairs, blocks along K, sums in f32.
#if defined(ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_PAIR_TILE_INL_H
#endif

#include <cstddef>

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/gemm/pack_pairs-inl.h"
#include "runtime/kernels/gemm/pair_cut.h"
#include "runtime/schema/limits.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// What a PairTile works in: under 1 MiB, on the thread's stack.
struct PairScratch {
  alignas(64) std::byte words[4 * kPairWords]; // packed B, then sums: a register tile's lie together, tile after tile
  HWY_ALIGN uint32_t a[kMaxBlockWords];
  HWY_ALIGN uint32_t branchA[kMaxEngineRows * kMaxBranchRank / 2];
  HWY_ALIGN float last[2][kMaxEngineRows * kMaxEngineColumns]; // one being finished, one being computed
};
static_assert(sizeof(PairScratch) + sizeof(uint32_t) * kMaxBlockWords < 1 << 20); // and what packPairsOfA turns

/// What of B is packed after the chunk at hand; nothing by default. Asked for a little at a time, while the CPU multiplies.
struct NextChunk {
  int64_t first = 0, k = 0, column = 0, columns = 0;
  /// Of plain elements, over so many steps of an engine.
  HWY_INLINE Lines lines(const RowSource<Bf16> &b, bool transposed, int64_t steps) const {
    Lines all;
    all.row = reinterpret_cast<const char *>(transposed ? b.at(column, first) : b.at(first, column));
    all.rows = transposed ? columns : k;
    all.bytes = static_cast<int64_t>(sizeof(Bf16)) * (transposed ? k : columns);
    all.stride = static_cast<int64_t>(sizeof(Bf16)) * b.rowStride();
    all.atOnce = (all.rows * ((all.bytes + 63) / 64) + steps - 1) / steps;
    return all;
  }
  /// Of codes, which are few: share `index` of `count`.
  HWY_INLINE void prefetchCodes(const RowSource<Bf16> &b, bool transposed, int64_t index, int64_t count) const {
    const int64_t rows = transposed ? columns : k, share = (rows + count - 1) / count, from = index * share;
    if (from < rows)
      b.prefetch((transposed ? column : first) + from, HWY_MIN(share, rows - from), transposed ? first : column, transposed ? k : columns);
  }
};

/// Rows of A as an engine reads them.
struct PairRows {
  const uint32_t *pairs;
  int64_t stride;
};

/// `height` rows of A from `row` on, along K [first, first + k): where they lie, or packed if an engine can't read them so.
HWY_INLINE PairRows pairRows(const Bf16Engine &engine, const Factors<Bf16> &x, int64_t row, int64_t height, int64_t first, int64_t k, int64_t pairs,
                             uint32_t *packed) {
  const Bf16 *block = x.a + (x.transposeA ? first * x.lda + row : row * x.lda + first);
  if (!x.transposeA && height == engine.rows && k == 2 * pairs && x.lda % 2 == 0 && reinterpret_cast<uintptr_t>(block) % 4 == 0)
    return {reinterpret_cast<const uint32_t *>(block), x.lda / 2};
  packPairsOfA(block, x.lda, x.transposeA, height, k, packed, pairs, engine.rows, pairs);
  return {packed, pairs};
}

/// A tile of op(A)·op(B), and of a branch if there is one. Each finished register tile is handed, some rows at a time, to
/// finish(row, rows, column, columns, sums, branchSums, stride), places relative to C; branchSums is null without a branch.
template <typename Finish> class PairTile {
public:
  PairTile(const Bf16Engine &engine, const PairCut &cut, const Factors<Bf16> &base, const Factors<Bf16> *branch, bool transposeB, const Tile &tile,
           const Finish &finish)
      : engine(engine), cut(cut), base(base), branch(branch), transposeB(transposeB), tile(tile), finish(finish) {}
  /// `next`: the tile that will follow, or null.
  HWY_NOINLINE void run(const Tile *next) {
    engine.begin();
    for (int64_t first = 0; first < base.k; first += 2 * cut.chunk) {
      const int64_t k = HWY_MIN(2 * cut.chunk, base.k - first);
      const Chunk chunk{first, k, pairsOf(k), first + k == base.k};
      NextChunk ahead;
      if (!chunk.isLast)
        ahead = {first + k, HWY_MIN(2 * cut.chunk, base.k - first - k), tile.column, tile.columns};
      else if (next)
        ahead = {0, HWY_MIN(2 * cut.chunk, base.k), next->column, next->columns};
      packPairsOfB(base.b, transposeB, first, k, tile.column, tile.columns, chunk.pairs, engine.columns, packed, cut.panel);
      if (branch && chunk.isLast)
        packPairsOfB(branch->b, transposeB, 0, branch->k, tile.column, tile.columns, branchPairs, engine.columns,
                     packed + chunk.pairs * engine.columns, cut.panel);
      if (!base.b.codes())
        lines = ahead.lines(base.b, transposeB, rowTiles * panels * ((chunk.pairs + kPairStep - 1) / kPairStep));
      for (int64_t i = 0; i < rowTiles; ++i)
        multiplyRow(chunk, i, ahead);
    }
    engine.end();
    finishRows(this, 0, finished.rows);
  }

private:
  struct Chunk {
    int64_t first, k, pairs;
    bool isLast;
  };
  /// A register tile whose sums are complete.
  struct Finished {
    int64_t row = 0, rows = 0, column = 0, columns = 0;
    const float *sums = nullptr, *branchSums = nullptr;
  };

  int64_t pairsOf(int64_t k) const { return Tiling::roundUp((k + 1) / 2, engine.pairStep); }

  /// Row `i` of register tiles. The sums of one are finished while the next is multiplied.
  HWY_INLINE void multiplyRow(const Chunk &chunk, int64_t i, const NextChunk &ahead) {
    const int64_t row = tile.row + i * engine.rows, rows = HWY_MIN(engine.rows, tile.row + tile.rows - row);
    float *rowSums = sums + (keepsAll ? i * panels * registerTile : 0);
    for (int64_t from = 0; from < chunk.pairs; from += engine.blockPairs) {
      const int64_t length = HWY_MIN(engine.blockPairs, chunk.pairs - from), first = chunk.first + 2 * from;
      const bool begins = first == 0, ends = chunk.isLast && from + length == chunk.pairs;
      const PairRows a = pairRows(engine, base, row, rows, first, HWY_MIN(2 * length, chunk.k - 2 * from), length, scratch.a);
      PairRows low{};
      if (branch && ends)
        low = pairRows(engine, *branch, row, rows, 0, branch->k, branchPairs, scratch.branchA);
      for (int64_t j = 0; j < panels; ++j) {
        if (from == 0 && base.b.codes())
          ahead.prefetchCodes(base.b, transposeB, i * panels + j, rowTiles * panels);
        const uint32_t *panel = packed + j * engine.columns * cut.panel;
        float *kept = rowSums + j * registerTile, *last = scratch.last[turn];
        engine.multiply(length, a.pairs, a.stride, panel + from * engine.columns, begins ? nullptr : kept, engine.columns,
                        ends && !branch ? last : kept, engine.columns, meanwhile(i, j, first, kept));
        finished.rows = 0;
        if (!ends)
          continue;
        if (branch)
          engine.multiply(branchPairs, low.pairs, low.stride, panel + chunk.pairs * engine.columns, nullptr, engine.columns, last, engine.columns);
        const int64_t column = j * engine.columns;
        finished = {row, rows, tile.column + column, HWY_MIN(engine.columns, tile.columns - column), branch ? kept : last, branch ? last : nullptr};
        turn = 1 - turn;
      }
    }
  }

  HWY_INLINE Meanwhile meanwhile(int64_t i, int64_t j, int64_t first, const float *kept) {
    Meanwhile all;
    if (!base.transposeA && i + 2 < rowTiles) { // the next rows of A, a share with each register tile
      const int64_t share = (engine.rows + panels - 1) / panels;
      all.rows = base.a + (tile.row + (i + 1) * engine.rows + j * share) * base.lda + first;
      all.stride = base.lda * static_cast<int64_t>(sizeof(Bf16));
      all.count = HWY_MIN(share, engine.rows - j * share);
    }
    if (keepsAll)
      all.sums = kept + registerTile;
    all.lines = &lines;
    all.work = finishRows;
    all.state = this;
    all.parts = finished.rows;
    return all;
  }
  static HWY_NOINLINE void finishRows(const void *state, int64_t from, int64_t to) {
    const auto &self = *static_cast<const PairTile *>(state);
    const Finished &done = self.finished;
    const int64_t stride = self.engine.columns;
    self.finish(done.row + from, to - from, done.column, done.columns, done.sums + from * stride,
                done.branchSums ? done.branchSums + from * stride : nullptr, stride);
  }

  const Bf16Engine &engine;
  const PairCut &cut;
  const Factors<Bf16> &base, *branch;
  const bool transposeB;
  const Tile tile;
  const Finish &finish;
  PairScratch scratch;
  const int64_t registerTile = engine.rows * engine.columns;
  const int64_t panels = (tile.columns + engine.columns - 1) / engine.columns, rowTiles = (tile.rows + engine.rows - 1) / engine.rows;
  const int64_t branchPairs = branch ? pairsOf(branch->k) : 0;
  const bool keepsAll = cut.keepsAll(base.k); // for the next chunk; else sums are of one row at a time
  uint32_t *const packed = reinterpret_cast<uint32_t *>(scratch.words);
  float *const sums = reinterpret_cast<float *>(packed + cut.panel * panels * engine.columns);
  Lines lines; // of the next chunk
  Finished finished;
  int64_t turn = 0; // of scratch.last
};

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
