#include "runtime/kernels/gemm/gemm.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "hwy/cache_control.h"

#include "runtime/kernels/gemm/tiling.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/gemm/gemm.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/gemm/dot-inl.h"
#include "runtime/kernels/gemm/pack-inl.h"
#include "runtime/kernels/gemm/pair_tile-inl.h"
#include "runtime/kernels/gemm/thin-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// At most so many products an element: C is then what is waited for.
constexpr int64_t kShortK = 16;

/// `finish` for what most products are: nothing is added but the branch, and columns are pairs of vectors.
template <bool kBranch, typename TOut>
HWY_INLINE void finishPairs(const GemmProblem &problem, int64_t rows, int64_t columns, const float *sums, const float *branchSums, int64_t stride,
                            TOut *c) {
  const F32 d;
  const VF32 alpha = hn::Set(d, problem.alpha), branchAlpha = hn::Set(d, problem.branchAlpha);
  for (int64_t i = 0; i < rows; ++i, c += problem.ldc, sums += stride, branchSums += kBranch ? stride : 0)
    for (int64_t j = 0; j < columns; j += 2 * kLanes) {
      VF32 low = hn::Mul(alpha, hn::LoadU(d, sums + j)), high = hn::Mul(alpha, hn::LoadU(d, sums + j + kLanes));
      if constexpr (kBranch) {
        low = hn::MulAdd(branchAlpha, hn::LoadU(d, branchSums + j), low);
        high = hn::MulAdd(branchAlpha, hn::LoadU(d, branchSums + j + kLanes), high);
      }
      storeTwo(d, low, high, c + j);
    }
}

/// C = alpha·sums (+ branchAlpha·branchSums) (+ bias) (+ C) for a small block. With `turned`, C's rows are the sums' columns; there is
/// no branch then.
template <typename TIn, typename TOut>
HWY_INLINE void finish(const GemmProblem &problem, bool turned, int64_t row, int64_t rows, int64_t column, int64_t columns, const float *sums,
                       int64_t stride, const float *branchSums = nullptr, int64_t branchStride = 0) {
  const F32 d;
  const VF32 alpha = hn::Set(d, problem.alpha), branchAlpha = hn::Set(d, problem.branchAlpha);
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
  if (!bias && !problem.accumulate && columns % (2 * kLanes) == 0 && (!branchSums || branchStride == stride)) {
    TOut *to = c + row * problem.ldc + column;
    if (branchSums)
      finishPairs<true>(problem, rows, columns, sums, branchSums, stride, to);
    else
      finishPairs<false>(problem, rows, columns, sums, nullptr, stride, to);
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    TOut *to = c + (row + i) * problem.ldc + column;
    forVectors(0, columns, [&](int64_t j, auto vector) HWY_ATTR {
      VF32 value = hn::Mul(alpha, vector(d, sums + i * stride + j));
      if (branchSums)
        value = hn::MulAdd(branchAlpha, vector(d, branchSums + i * branchStride + j), value);
      if (bias)
        value = hn::Add(value, vector(d, bias + column + j));
      if (problem.accumulate)
        value = hn::Add(value, vector(d, to + j));
      vector(d, value, to + j);
    });
  }
}

template <typename TIn> RowSource<TIn> sourceOfB(const GemmProblem &problem) {
  return problem.quantB ? RowSource<TIn>(*problem.quantB) : RowSource<TIn>(problem.b, problem.ldb);
}

/// The base product's factors, and the branch's.
template <typename TIn> Factors<TIn> baseOf(const GemmProblem &p) {
  return {static_cast<const TIn *>(p.a), p.lda, p.transposeA, sourceOfB<TIn>(p), p.k};
}
template <typename TIn> Factors<TIn> branchOf(const GemmProblem &p) {
  return {static_cast<const TIn *>(p.branchA), p.branchK, false, RowSource<TIn>(p.branchB, p.transposeB ? p.branchK : p.n), p.branchK};
}

struct TileScratch {
  HWY_ALIGN float b[kKBlock * kNTile];
  HWY_ALIGN float a[(kMBlock + kMR) * kKBlock];
  HWY_ALIGN float sums[kMTile * kNTile]; // of earlier blocks of K
  HWY_ALIGN float last[kMR * kNR];
};

enum class Block { Base, LastOfBase, Branch };

/// Sums of rows [first, first + k) along K of the factors, for a tile: kept for the next block, or finished into C.
template <typename TIn, typename TOut>
HWY_INLINE void gemmBlock(const GemmProblem &problem, const Factors<TIn> &x, bool turned, const Tile &tile, int64_t first, int64_t k, Block which,
                          TileScratch &scratch) {
  const int64_t sumStride = Tiling::roundUp(tile.columns, kLanes);
  const bool ends = which != Block::Base, continues = first > 0;
  packB(x.b, problem.transposeB, first, k, tile.column, tile.columns, scratch.b);
  for (int64_t row = 0; row < tile.rows; row += kMBlock) {
    const int64_t rows = HWY_MIN(kMBlock, tile.rows - row), at = tile.row + row;
    const TIn *block = x.a + (x.transposeA ? first * x.lda + at : at * x.lda + first);
    // Rows along K are read in place (16 bits: from a converted copy); only what is left is packed into panels.
    const int64_t direct = x.transposeA ? 0 : rows / kMR * kMR;
    const float *rowsOfA = nullptr;
    int64_t rowStride = 0;
    if constexpr (sizeof(TIn) == 4) {
      rowsOfA = block;
      rowStride = x.lda;
    } else if (direct) {
      packRows(block, x.lda, k, direct, scratch.a, k, k);
      rowsOfA = scratch.a;
      rowStride = k;
    }
    float *panelsOfA = scratch.a + (sizeof(TIn) == 4 ? 0 : direct * k);
    packA(block + (x.transposeA ? direct : direct * x.lda), x.lda, x.transposeA, rows - direct, k, panelsOfA);
    auto registerTile = [&](int64_t i, int64_t column) HWY_ATTR {
      const int vectors = panelVectors(column, tile.columns);
      const float *panelB = scratch.b + column * k;
      float *sums = scratch.sums + (row + i) * sumStride + column;
      const float *previous = continues ? sums : nullptr;
      float *out = ends ? scratch.last : sums;
      const int64_t outStride = ends ? kNR : sumStride;
      if (k <= kShortK && problem.accumulate && !turned) // C is then what is waited for: ask for the next rows' part of it
        for (int64_t next = at + i + kMR; next < HWY_MIN(at + i + 2 * kMR, tile.row + tile.rows); ++next) {
          const TOut *ahead = static_cast<const TOut *>(problem.c) + next * problem.ldc + tile.column + column;
          hwy::Prefetch(ahead);
          hwy::Prefetch(ahead + HWY_MIN(kNR, tile.columns - column) - 1);
        }
      if (i < direct)
        runMicro<true>(vectors, k, rowsOfA + i * rowStride, rowStride, panelB, vectors * kLanes, previous, sumStride, out, outStride);
      else
        runMicro<false>(vectors, k, panelsOfA + (i - direct) * k, kMR, panelB, vectors * kLanes, previous, sumStride, out, outStride);
      const int64_t tileRows = HWY_MIN(int64_t{kMR}, rows - i), tileColumns = HWY_MIN(kNR, tile.columns - column);
      if (which == Block::LastOfBase)
        finish<TIn, TOut>(problem, turned, at + i, tileRows, tile.column + column, tileColumns, scratch.last, kNR);
      else if (which == Block::Branch)
        finish<TIn, TOut>(problem, false, at + i, tileRows, tile.column + column, tileColumns, sums, sumStride, scratch.last, kNR);
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

/// One tile of the product, finished into C.
template <typename TIn, typename TOut>
HWY_NOINLINE void gemmTile(const GemmProblem &problem, const Factors<TIn> &base, bool turned, const Tile &tile) {
  TileScratch scratch;
  for (int64_t first = 0; first < base.k; first += kKBlock) {
    const int64_t k = HWY_MIN(kKBlock, base.k - first);
    const bool last = first + k == base.k && !problem.branchA;
    gemmBlock<TIn, TOut>(problem, base, turned, tile, first, k, last ? Block::LastOfBase : Block::Base, scratch);
  }
  if (problem.branchA)
    gemmBlock<TIn, TOut>(problem, branchOf<TIn>(problem), false, tile, 0, problem.branchK, Block::Branch, scratch);
}

/// C with at most kDotColumns columns (rows, when turned), the long operand's K contiguous.
template <typename TIn, typename TOut> void gemmDots(const KernelContext &context, const GemmProblem &problem, bool turned) {
  const int64_t rows = turned ? problem.n : problem.m, columns = turned ? problem.m : problem.n;
  const Factors<TIn> base = baseOf<TIn>(problem), branch = branchOf<TIn>(problem);
  auto dots = [&](const Factors<TIn> &factors, int64_t row, int64_t here, float *sums) HWY_ATTR {
    const RowSource<TIn> a(factors.a, factors.lda);
    const bool yByRow = turned ? factors.transposeA : !problem.transposeB; // y lies as [k][columns]
    dotTile(turned ? factors.b : a, row, here, turned ? a : factors.b, yByRow, columns, factors.k, sums);
  };
  parallelFor(context, (rows + kDotRows - 1) / kDotRows, 1, [&](int64_t begin, int64_t end) HWY_ATTR {
    HWY_ALIGN float sums[kDotRows * kDotColumns], branchSums[kDotRows * kDotColumns];
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t row = tile * kDotRows, here = HWY_MIN(kDotRows, rows - row);
      dots(base, row, here, sums);
      if (problem.branchA)
        dots(branch, row, here, branchSums);
      const float *more = problem.branchA ? branchSums : nullptr;
      if (!turned) {
        finish<TIn, TOut>(problem, false, row, here, 0, columns, sums, kDotColumns, more, kDotColumns);
        continue;
      }
      for (int64_t r = 0; r < here; ++r) // C's rows are the sums' columns
        for (int64_t j = 0; j < columns; ++j)
          finish<TIn, TOut>(problem, false, j, 1, row + r, 1, sums + r * kDotColumns + j, 1, more ? more + r * kDotColumns + j : nullptr, 1);
    }
  });
}

/// C with at most kDotColumns columns (turned) or rows, both operands lying as [k][...].
template <typename TIn, typename TOut> void gemmThin(const KernelContext &context, const GemmProblem &problem, bool turned) {
  const ThinSide<TIn> a{static_cast<const TIn *>(problem.a), problem.lda, problem.m}, b{static_cast<const TIn *>(problem.b), problem.ldb, problem.n};
  const ThinSide<TIn> &narrow = turned ? b : a, &wide = turned ? a : b;
  const int64_t threads = context.parallel ? context.parallel->threads() : 1;
  const int64_t width = std::clamp<int64_t>(Tiling::roundUp((wide.columns + 3 * threads - 1) / (3 * threads), 64), 64, kThinColumns);
  parallelFor(context, (wide.columns + width - 1) / width, 1, [&](int64_t begin, int64_t end) HWY_ATTR {
    HWY_ALIGN float sums[kDotColumns * kThinColumns];
    for (int64_t column = begin * width; column < HWY_MIN(end * width, wide.columns); column += width) {
      const int64_t columns = HWY_MIN(width, wide.columns - column);
      thinTile(narrow, wide, problem.k, column, columns, sums);
      finish<TIn, TOut>(problem, turned, 0, narrow.columns, column, columns, sums, kThinColumns);
    }
  });
}

/// The engine that multiplies a problem, or null.
template <typename TIn> const Bf16Engine *engineFor(const GemmProblem &p) {
  const Bf16Engine *engine = std::is_same_v<TIn, Bf16> ? p.engine : nullptr;
  return engine && engine->narrow && p.n <= engine->narrow->columns ? engine->narrow : engine;
}

template <typename TIn, typename TOut> void gemmTyped(const KernelContext &context, const GemmProblem &problem) {
  const bool narrowEngine = std::is_same_v<TIn, Bf16> && problem.engine && problem.engine->narrow;
  if (problem.n <= kDotColumns && !problem.transposeA && !narrowEngine)
    return gemmDots<TIn, TOut>(context, problem, false);
  if (problem.m <= kDotColumns && problem.transposeB)
    return gemmDots<TIn, TOut>(context, problem, true);
  if (problem.transposeA && !problem.transposeB && HWY_MIN(problem.m, problem.n) <= kDotColumns && !problem.branchA && !narrowEngine)
    return gemmThin<TIn, TOut>(context, problem, problem.n <= kDotColumns);
  // A narrow C with A lying as [k][m] is computed as Cᵀ = op(B)ᵀ·op(A)ᵀ: the vectors then run along the long side.
  const bool turned = problem.n <= kDotColumns && problem.transposeA && !problem.branchA;
  GemmProblem turnedProblem = problem;
  if (turned) {
    std::swap(turnedProblem.m, turnedProblem.n);
    std::swap(turnedProblem.a, turnedProblem.b);
    std::swap(turnedProblem.lda, turnedProblem.ldb);
    turnedProblem.transposeA = !problem.transposeB;
    turnedProblem.transposeB = !problem.transposeA;
  }
  const GemmProblem &p = turned ? turnedProblem : problem;
  const Factors<TIn> base = baseOf<TIn>(p);
  const bool tiny = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k) < 65536;
  const Bf16Engine *engine = engineFor<TIn>(p);
  const std::optional<PairCut> cut = engine ? std::optional<PairCut>(std::in_place, *engine, p.m, p.n, p.k, p.branchK) : std::nullopt;
  const TileLimits limits = cut ? cut->limits : TileLimits{kMTile, kNTile, kMR, kNR, kNTile};
  const Tiling tiling(p.m, p.n, limits, !tiny && context.parallel ? context.parallel->threads() : 1);
  parallelFor(context, tiling.count(), tiny ? tiling.count() : 1, [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t index = begin; index < end; ++index) {
      const Tile tile = tiling.tile(index, p.m, p.n);
      if constexpr (std::is_same_v<TIn, Bf16>)
        if (engine) {
          const Factors<TIn> branch = branchOf<TIn>(p);
          const Tile next = tiling.tile(HWY_MIN(index + 1, end - 1), p.m, p.n);
          const auto finishRows =
              [&](int64_t row, int64_t rows, int64_t column, int64_t columns, const float *sums, const float *branchSums, int64_t stride)
                  HWY_ATTR { finish<TIn, TOut>(p, turned, row, rows, column, columns, sums, stride, branchSums, stride); };
          PairTile(*engine, *cut, base, p.branchA ? &branch : nullptr, p.transposeB, tile, finishRows).run(index + 1 < end ? &next : nullptr);
          continue;
        }
      gemmTile<TIn, TOut>(p, base, turned, tile);
    }
  });
}

} // namespace

void gemmCpu(const KernelContext &context, const GemmProblem &problem) {
  forComputeType(problem.input, [&](auto element) {
    if (problem.output == DType::F32)
      gemmTyped<decltype(element), float>(context, problem);
    else
      gemmTyped<decltype(element), decltype(element)>(context, problem);
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(gemmCpu);
void gemm(const KernelContext &context, const GemmProblem &problem) { HWY_DYNAMIC_DISPATCH(gemmCpu)(context, problem); }
} // namespace zp::rt
#endif
