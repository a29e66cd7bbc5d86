#include "runtime/kernels/gemm/gemm.h"

#include <algorithm>

#include "hwy/cache_control.h"

#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/gemm/gemm.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/gemm/dot-inl.h"
#include "runtime/kernels/gemm/micro-inl.h"
#include "runtime/kernels/gemm/pair_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// Blocking. A panel of B (kKBlock × kNR) stays in L1, a block of A (kMBlock × kKBlock) and the tile's B in L2.
/// All of a tile's scratch is under 1 MiB: it lies on the thread's stack.
constexpr int64_t kKBlock = 256, kMBlock = 48, kMTile = 512, kNTile = kNR * (288 / kNR);
constexpr int64_t kShortK = 16;

struct Tile {
  int64_t row, rows, column, columns;
};

/// The largest tile and what its sides are multiples of.
struct TileLimits {
  int64_t rows, columns, rowStep, columnStep;
};

/// How C is cut, for a number of threads. Only time depends on it.
struct Tiling {
  int64_t rowTiles, columnTiles, tileRows, tileColumns;

  Tiling(int64_t m, int64_t n, const TileLimits &limits, int threads) {
    rowTiles = (m + limits.rows - 1) / limits.rows;
    columnTiles = (n + limits.columns - 1) / limits.columns;
    cut(m, n, limits);
    while (threads > 1 && rowTiles * columnTiles < 3 * threads) {
      if (tileRows > 96)
        rowTiles *= 2;
      else if (tileColumns > 2 * limits.columnStep)
        columnTiles *= 2;
      else
        break;
      cut(m, n, limits);
    }
  }
  void cut(int64_t m, int64_t n, const TileLimits &limits) {
    tileRows = roundUp((m + rowTiles - 1) / rowTiles, limits.rowStep);
    tileColumns = roundUp((n + columnTiles - 1) / columnTiles, limits.columnStep);
    rowTiles = (m + tileRows - 1) / tileRows;
    columnTiles = (n + tileColumns - 1) / tileColumns;
  }
  static int64_t roundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }
  /// Row tiles of one column tile follow each other.
  Tile tile(int64_t index, int64_t m, int64_t n) const {
    int64_t row = index % rowTiles * tileRows, column = index / rowTiles * tileColumns;
    return {row, HWY_MIN(tileRows, m - row), column, HWY_MIN(tileColumns, n - column)};
  }
};

/// C = alpha·sums (+ bias) (+ C) for a small block. With `turned`, C's rows are the sums' columns.
template <typename TIn, typename TOut>
HWY_INLINE void finish(const GemmProblem &problem, bool turned, int64_t row, int64_t rows, int64_t column, int64_t columns,
                       const float *sums, int64_t stride) {
  const F32 d;
  const VF32 alpha = hn::Set(d, problem.alpha);
  const TIn *bias = static_cast<const TIn *>(problem.bias);
  TOut *c = static_cast<TOut *>(problem.c);
  if (turned) { // C is narrow: element by element, with the same operations
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t i = 0; i < rows; ++i) {
        TOut *to = c + (column + j) * problem.ldc + row + i;
        VF32 value = hn::Mul(alpha, hn::Set(d, sums[i * stride + j]));
        if (bias)
          value = hn::Add(value, hn::Set(d, toFloat(bias[row + i])));
        if (problem.accumulate)
          value = hn::Add(value, hn::Set(d, toFloat(*to)));
        storePart(d, value, to, 1);
      }
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    TOut *to = c + (row + i) * problem.ldc + column;
    forVectors(0, columns, [&](int64_t j, auto vector) HWY_ATTR {
      VF32 value = hn::Mul(alpha, vector(d, sums + i * stride + j));
      if (bias)
        value = hn::Add(value, vector(d, bias + column + j));
      if (problem.accumulate)
        value = hn::Add(value, vector(d, to + j));
      vector(d, value, to + j);
    });
  }
}

/// One tile of op(A)·op(B), finished into C.
template <typename TIn, typename TOut>
HWY_NOINLINE void gemmTile(const GemmProblem &problem, bool turned, const Tile &tile) {
  HWY_ALIGN float packedB[kKBlock * kNTile];
  HWY_ALIGN float packedA[(kMBlock + kMR) * kKBlock];
  HWY_ALIGN float partial[kMTile * kNTile]; // sums of earlier blocks of K
  HWY_ALIGN float last[kMR * kNR];
  const TIn *a = static_cast<const TIn *>(problem.a), *b = static_cast<const TIn *>(problem.b);
  const int64_t partialStride = Tiling::roundUp(tile.columns, kLanes);
  for (int64_t first = 0; first < problem.k; first += kKBlock) {
    const int64_t k = HWY_MIN(kKBlock, problem.k - first);
    const bool ends = first + k == problem.k;
    packB(b + (problem.transposeB ? tile.column * problem.ldb + first : first * problem.ldb + tile.column), problem.ldb,
          problem.transposeB, tile.columns, k, packedB);
    for (int64_t row = 0; row < tile.rows; row += kMBlock) {
      const int64_t rows = HWY_MIN(kMBlock, tile.rows - row), at = tile.row + row;
      const TIn *block = a + (problem.transposeA ? first * problem.lda + at : at * problem.lda + first);
      // Rows along K are read in place (bf16: from a converted copy); only what is left is packed into panels.
      const int64_t direct = problem.transposeA ? 0 : rows / kMR * kMR;
      const float *rowsOfA = nullptr;
      int64_t rowStride = 0;
      if constexpr (sizeof(TIn) == 4) {
        rowsOfA = block;
        rowStride = problem.lda;
      } else if (direct) {
        packRows(block, problem.lda, k, direct, packedA, k, k);
        rowsOfA = packedA;
        rowStride = k;
      }
      float *panelsOfA = packedA + (sizeof(TIn) == 4 ? 0 : direct * k);
      packA(block + (problem.transposeA ? direct : direct * problem.lda), problem.lda, problem.transposeA, rows - direct, k, panelsOfA);
      auto registerTile = [&](int64_t i, int64_t column) HWY_ATTR {
        const int vectors = panelVectors(column, tile.columns);
        const float *panelB = packedB + column * k;
        float *sums = partial + (row + i) * partialStride + column;
        const float *previous = first ? sums : nullptr;
        float *out = ends ? last : sums;
        const int64_t outStride = ends ? kNR : partialStride;
        if (k <= kShortK && problem.accumulate && !turned) // C is then what is waited for: ask for the next rows' part of it
          for (int64_t next = at + i + kMR; next < HWY_MIN(at + i + 2 * kMR, tile.row + tile.rows); ++next) {
            const TOut *ahead = static_cast<const TOut *>(problem.c) + next * problem.ldc + tile.column + column;
            hwy::Prefetch(ahead);
            hwy::Prefetch(ahead + HWY_MIN(kNR, tile.columns - column) - 1);
          }
        if (i < direct)
          runMicro<true>(vectors, k, rowsOfA + i * rowStride, rowStride, panelB, vectors * kLanes, previous, partialStride, out, outStride);
        else
          runMicro<false>(vectors, k, panelsOfA + (i - direct) * k, kMR, panelB, vectors * kLanes, previous, partialStride, out, outStride);
        if (ends)
          finish<TIn, TOut>(problem, turned, at + i, HWY_MIN(int64_t{kMR}, rows - i), tile.column + column,
                            HWY_MIN(kNR, tile.columns - column), last, kNR);
      };
      if (k <= kShortK) // all of the tile's B fits in L1: walk C along its rows
        for (int64_t i = 0; i < rows; i += kMR)
          for (int64_t column = 0; column < tile.columns; column += kNR)
            registerTile(i, column);
      else
        for (int64_t column = 0; column < tile.columns; column += kNR)
          for (int64_t i = 0; i < rows; i += kMR)
            registerTile(i, column);
    }
  }
}

/// C with at most kDotColumns columns (rows, when turned), the long operand's K contiguous.
template <typename TIn, typename TOut>
void gemmDots(const KernelContext &context, const GemmProblem &problem, bool turned) {
  const int64_t rows = turned ? problem.n : problem.m, columns = turned ? problem.m : problem.n;
  const TIn *x = static_cast<const TIn *>(turned ? problem.b : problem.a);
  const TIn *y = static_cast<const TIn *>(turned ? problem.a : problem.b);
  const int64_t xStride = turned ? problem.ldb : problem.lda, ldy = turned ? problem.lda : problem.ldb;
  const bool yByRow = turned ? problem.transposeA : !problem.transposeB; // y lies as [k][columns]
  parallelFor(context, (rows + kDotRows - 1) / kDotRows, 1, [&](int64_t begin, int64_t end) HWY_ATTR {
    HWY_ALIGN float sums[kDotRows * kDotColumns];
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t row = tile * kDotRows, here = HWY_MIN(kDotRows, rows - row);
      dotTile(x + row * xStride, xStride, here, y, yByRow ? ldy : 1, yByRow ? 1 : ldy, columns, problem.k, sums);
      if (!turned) {
        finish<TIn, TOut>(problem, false, row, here, 0, columns, sums, kDotColumns);
        continue;
      }
      for (int64_t r = 0; r < here; ++r) // C's rows are the sums' columns
        for (int64_t j = 0; j < columns; ++j)
          finish<TIn, TOut>(problem, false, j, 1, row + r, 1, sums + r * kDotColumns + j, 1);
    }
  });
}

template <typename TIn, typename TOut> void gemmTyped(const KernelContext &context, const GemmProblem &problem) {
  if (problem.n <= kDotColumns && !problem.transposeA)
    return gemmDots<TIn, TOut>(context, problem, false);
  if (problem.m <= kDotColumns && problem.transposeB)
    return gemmDots<TIn, TOut>(context, problem, true);
  // A narrow C with A lying as [k][m] is computed as Cᵀ = op(B)ᵀ·op(A)ᵀ: the vectors then run along the long side.
  const bool turned = problem.n <= kDotColumns;
  GemmProblem turnedProblem = problem;
  if (turned) {
    std::swap(turnedProblem.m, turnedProblem.n);
    std::swap(turnedProblem.a, turnedProblem.b);
    std::swap(turnedProblem.lda, turnedProblem.ldb);
    turnedProblem.transposeA = !problem.transposeB;
    turnedProblem.transposeB = !problem.transposeA;
  }
  const GemmProblem &p = turned ? turnedProblem : problem;
  const bool tiny = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k) < 65536;
  const Bf16Engine *engine = sizeof(TIn) == 2 ? p.engine : nullptr;
  const TileLimits limits =
      engine ? TileLimits{p.k <= 2 * kPairBlock ? kPairRowsOneBlock : kPairRows, kPairColumns / engine->columns * engine->columns,
                          engine->rows, engine->columns}
             : TileLimits{kMTile, kNTile, kMR, kNR};
  const Tiling tiling(p.m, p.n, limits, !tiny && context.parallel ? context.parallel->threads() : 1);
  const int64_t tiles = tiling.rowTiles * tiling.columnTiles;
  parallelFor(context, tiles, tiny ? tiles : 1, [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t index = begin; index < end; ++index) {
      const Tile tile = tiling.tile(index, p.m, p.n);
      if constexpr (sizeof(TIn) == 2)
        if (engine) {
          pairTile(*engine, static_cast<const Bf16 *>(p.a), p.lda, p.transposeA, static_cast<const Bf16 *>(p.b), p.ldb, p.transposeB, p.k,
                   tile.row, tile.rows, tile.column, tile.columns,
                   [&](int64_t row, int64_t rows, int64_t column, int64_t columns, const float *sums, int64_t stride) HWY_ATTR {
                     finish<TIn, TOut>(p, turned, row, rows, column, columns, sums, stride);
                   });
          continue;
        }
      gemmTile<TIn, TOut>(p, turned, tile);
    }
  });
}

} // namespace

void gemmCpu(const KernelContext &context, const GemmProblem &problem) {
  if (problem.input == DType::F32)
    gemmTyped<float, float>(context, problem);
  else if (problem.output == DType::F32)
    gemmTyped<Bf16, float>(context, problem);
  else
    gemmTyped<Bf16, Bf16>(context, problem);
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(gemmCpu);
void gemm(const KernelContext &context, const GemmProblem &problem) { HWY_DYNAMIC_DISPATCH(gemmCpu)(context, problem); }
} // namespace zp::rt
#endif
