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

/// Blocking of the pair kernels: kPairBlock pairs along K, kPairColumns columns a tile; kPairRows rows where K takes several
/// blocks and their sums must be kept, kPairRowsOneBlock where it does not. B packed is 288 KiB, the sums as much.
inline constexpr int64_t kPairBlock = 512, kPairColumns = 144, kPairRows = 512, kPairRowsOneBlock = 4096;

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
  HWY_ALIGN Bf16 scratch[kPackRows * 2 * kPairBlock];
  if (transposed) {
    for (int64_t j = 0; j < Tiling::roundUp(columns, width); j += kPackRows) {
      const int64_t rows = HWY_MAX(HWY_MIN(kPackRows, columns - j), int64_t{0}); // none: padding
      b.prefetch(column + j + kPackRows, rows, first, k);
      const RowBlock<Bf16> block = b.block(column + j, rows, first, k, scratch);
      transposePairs(block.data, block.stride, rows, k, target + j / width * width * kPairBlock + j % width, width, kPackRows, pairs);
    }
    return;
  }
  for (int64_t p = 0; p < pairs; p += kPackRows / 2) {
    const int64_t rows = HWY_MAX(HWY_MIN(kPackRows, k - 2 * p), int64_t{0}); // none: padding
    b.prefetch(first + 2 * p + kPackRows, rows, column, columns);
    const RowBlock<Bf16> block = b.block(first + 2 * p, rows, column, columns, scratch);
    for (int64_t j = 0; j < columns; j += width)
      interleaveRows(block.data + j, block.stride, HWY_MIN(width, columns - j), rows, target + j * kPairBlock + p * width, width, width,
                     kPackRows / 2);
  }
}

/// Computes a tile of op(A)·op(B) and hands each finished register tile to finish(row, rows, column, columns, sums, stride),
/// places relative to C.
template <typename Finish>
HWY_NOINLINE void pairTile(const Bf16Engine &engine, const Bf16 *a, int64_t lda, bool transposeA, const RowSource<Bf16> &b,
                           bool transposeB, int64_t allK, const Tile &tile, const Finish &finish) {
  HWY_ALIGN uint32_t packedB[kPairBlock * kPairColumns];
  HWY_ALIGN uint32_t packedA[kMaxEngineRows * kPairBlock];
  HWY_ALIGN float partial[kPairRows * kPairColumns];
  HWY_ALIGN float last[kMaxEngineRows * kMaxEngineColumns];
  const auto [row, rows, column, columns] = tile;
  engine.begin();
  for (int64_t first = 0; first < allK; first += 2 * kPairBlock) {
    const int64_t k = HWY_MIN(2 * kPairBlock, allK - first);
    const int64_t pairs = (k + 2 * kPairStep - 1) / (2 * kPairStep) * kPairStep;
    const bool ends = first + k == allK;
    packPairsOfB(b, transposeB, first, k, column, columns, pairs, engine.columns, packedB);
    for (int64_t i = 0; i < rows; i += engine.rows) {
      const int64_t height = HWY_MIN(engine.rows, rows - i);
      const Bf16 *block = a + (transposeA ? first * lda + row + i : (row + i) * lda + first);
      const uint32_t *pairsOfA = reinterpret_cast<const uint32_t *>(block);
      int64_t stride = lda / 2;
      const bool inPlace = !transposeA && height == engine.rows && k == 2 * pairs && lda % 2 == 0 && reinterpret_cast<uintptr_t>(block) % 4 == 0;
      if (!inPlace) {
        packPairsOfA(block, lda, transposeA, height, k, packedA, kPairBlock, engine.rows, pairs);
        pairsOfA = packedA;
        stride = kPairBlock;
      }
      for (int64_t j = 0; j < columns; j += engine.columns) {
        // A register tile's sums lie together, tile after tile.
        float *sums = partial + (i / engine.rows * (kPairColumns / engine.columns) + j / engine.columns) * engine.rows * engine.columns;
        const float *previous = first ? sums : nullptr;
        float *out = ends ? last : sums;
        engine.multiply(pairs, pairsOfA, stride, packedB + j * kPairBlock, previous, engine.columns, out, engine.columns);
        if (ends)
          finish(row + i, height, column + j, HWY_MIN(engine.columns, columns - j), last, engine.columns);
      }
    }
  }
  engine.end();
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
