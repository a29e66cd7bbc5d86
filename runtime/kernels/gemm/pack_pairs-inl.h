// Packing for an engine of bf16_engine.h: pairs of neighbours along K, from matrices as they lie or from 4-bit codes.
#if defined(ZP_RUNTIME_KERNELS_GEMM_PACK_PAIRS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_PACK_PAIRS_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_PACK_PAIRS_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_PACK_PAIRS_INL_H
#endif

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/gemm/pack-inl.h"
#include "runtime/kernels/gemm/tiling.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Rows of a transposed B that are packed at a time, and how much of them: a few KiB.
inline constexpr int64_t kTurnedRows = 16, kTurnedLength = 256;
/// How far ahead rows of a B that is not transposed are asked for: they are short, and memory is far.
inline constexpr int64_t kAheadRows = 32;

/// target[p·stride + j] = rows 2p (low half) and 2p+1 (high half) of a [k, columns] block, zero up to `width` and to `pairs`.
HWY_INLINE void interleaveRows(const Bf16 *source, int64_t sourceStride, int64_t columns, int64_t k, uint32_t *target, int64_t stride, int64_t width,
                               int64_t pairs) {
  const hn::ScalableTag<uint32_t> d;
  const hn::Rebind<uint16_t, decltype(d)> half;
  for (int64_t p = 0; p < pairs; ++p) {
    const Bf16 *even = source + 2 * p * sourceStride, *odd = even + sourceStride;
    const bool hasEven = 2 * p < k, hasOdd = 2 * p + 1 < k;
    uint32_t *to = target + p * stride;
    int64_t j = 0;
    for (; hasOdd && j + kLanes <= columns; j += kLanes)
      hn::StoreU(hn::Or(hn::PromoteTo(d, hn::LoadU(half, even + j)), hn::ShiftLeft<16>(hn::PromoteTo(d, hn::LoadU(half, odd + j)))), d, to + j);
    for (; j < columns; ++j)
      to[j] = (hasEven ? even[j] : 0u) | (hasOdd ? uint32_t{odd[j]} << 16 : 0u);
    for (; j < width; ++j)
      to[j] = 0;
  }
}

/// target[p·stride + i] = pair p of row i, zero up to `width` and to `pairs`. The pairs of a row lie together already.
HWY_INLINE void transposePairs(const Bf16 *source, int64_t sourceStride, int64_t rows, int64_t k, uint32_t *target, int64_t stride, int64_t width,
                               int64_t pairs) {
  const int64_t whole = k / 2;
  if (sourceStride % 2 == 0 && reinterpret_cast<uintptr_t>(source) % 4 == 0) {
    // 32-bit words are moved, never computed with: f32 lanes carry them unchanged.
    packTransposed(reinterpret_cast<const float *>(source), sourceStride / 2, rows, whole, reinterpret_cast<float *>(target), stride, width);
  } else {
    for (int64_t p = 0; p < whole; ++p)
      for (int64_t i = 0; i < width; ++i)
        target[p * stride + i] = i < rows ? source[i * sourceStride + 2 * p] | uint32_t{source[i * sourceStride + 2 * p + 1]} << 16 : 0u;
  }
  for (int64_t p = whole; p < pairs; ++p)
    for (int64_t i = 0; i < width; ++i)
      target[p * stride + i] = i < rows && 2 * p < k ? source[i * sourceStride + 2 * p] : 0u;
}

/// target[i·stride + p] = pair p of row i of a [rows, k] block of op(A), zero up to `allRows` and to `pairs`.
HWY_INLINE void packPairsOfA(const Bf16 *a, int64_t lda, bool transposed, int64_t rows, int64_t k, uint32_t *target, int64_t stride, int64_t allRows,
                             int64_t pairs) {
  if (!transposed) {
    for (int64_t i = 0; i < allRows; ++i) {
      std::memset(target + i * stride, 0, sizeof(uint32_t) * pairs);
      if (i < rows)
        std::memcpy(target + i * stride, a + i * lda, sizeof(Bf16) * k);
    }
    return;
  }
  HWY_ALIGN uint32_t turned[kMaxBlockWords];
  interleaveRows(a, lda, rows, k, turned, allRows, allRows, pairs);
  packTransposed(reinterpret_cast<const float *>(turned), allRows, pairs, allRows, reinterpret_cast<float *>(target), stride, pairs);
}

#if HWY_TARGET <= HWY_AVX3
/// Whether interleaveCodes can pack them: codes of columns that come in whole steps.
HWY_INLINE bool interleavesCodes(const QuantMatrix *weight, int64_t column, int64_t columns) {
  return weight && weight->columns % kLookUpStep == 0 && column % kLanes == 0 && columns % kLanes == 0;
}

/// packPairsOfB for codes of a B that is not transposed: elements go from the lookup to their panel.
inline HWY_NOINLINE void interleaveCodes(const QuantMatrix &source, int64_t first, int64_t k, int64_t column, int64_t columns, int64_t pairs,
                                         int64_t width, uint32_t *target, int64_t room) {
  const QuantMatrix weight = source; // a copy that no store can change: what follows from it is computed once
  const hn::FixedTag<uint32_t, 16> d;
  int64_t places[kMaxPanelColumns / kLanes + 1]; // of a vector of columns, in the panels
  const int64_t vectors = columns / kLanes, padded = Tiling::roundUp(columns, width) / kLanes;
  for (int64_t v = 0; v < padded; ++v)
    places[v] = v * kLanes / width * width * room + v * kLanes % width;
  const int64_t begin = column / kLookUpStep * kLookUpStep, firstVector = (begin - column) / kLanes;
  for (int64_t p = 0; p < pairs; ++p) {
    uint32_t *to = target + p * width;
    int64_t v = 0;
    weight.prefetch((first + 2 * p + kAheadRows) * weight.columns + begin, columns);
    weight.prefetch((first + 2 * p + kAheadRows + 1) * weight.columns + begin, columns);
    if (2 * p < k) { // else padding
      const int64_t at = (first + 2 * p) * weight.columns + begin;
      const bool hasOdd = 2 * p + 1 < k;
      LookUpRun even(weight, at), odd(weight, hasOdd ? at + weight.columns : at);
      for (v = firstVector; v < vectors; v += 2) {
        const VHalves low = even.next(kForInterleaving), next = odd.next(kForInterleaving), high = hasOdd ? next : hn::Zero(kHalves);
        if (v >= 0) // -1: the columns begin in the middle of a step
          hn::StoreU(hn::BitCast(d, hn::InterleaveLower(kHalves, low, high)), d, to + places[v]);
        if (v + 1 < vectors)
          hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(kHalves, low, high)), d, to + places[v + 1]);
      }
      v = vectors;
    }
    for (; v < padded; ++v) // and the columns up to the panel's width
      hn::StoreU(hn::Zero(d), d, to + places[v]);
  }
}
#endif

/// Packs rows [first, first + k) and columns [column, column + columns) of op(B), zero up to `pairs`: panels of `width` columns,
/// [pairs][width], one every room · width words. A few rows of B at a time, as packB does.
HWY_INLINE void packPairsOfB(const RowSource<Bf16> &b, bool transposed, int64_t first, int64_t k, int64_t column, int64_t columns, int64_t pairs,
                             int64_t width, uint32_t *target, int64_t room) {
  if (transposed) {
    HWY_ALIGN Bf16 scratch[kTurnedRows * kTurnedLength];
    for (int64_t j = 0; j < Tiling::roundUp(columns, width); j += kTurnedRows) {
      const int64_t rows = HWY_MAX(HWY_MIN(kTurnedRows, columns - j), int64_t{0}); // none: padding
      uint32_t *panel = target + j / width * width * room + j % width;
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
#if HWY_TARGET <= HWY_AVX3
  if (interleavesCodes(b.codes(), column, columns))
    return interleaveCodes(*b.codes(), first, k, column, columns, pairs, width, target, room);
#endif
  HWY_ALIGN Bf16 scratch[kPackRows * kMaxPanelColumns];
  for (int64_t p = 0; p < pairs; p += kPackRows / 2) {
    const int64_t rows = HWY_MAX(HWY_MIN(kPackRows, k - 2 * p), int64_t{0}); // none: padding
    b.prefetch(first + 2 * p + kAheadRows, rows, column, columns);
    const RowBlock<Bf16> block = b.block(first + 2 * p, rows, column, columns, scratch);
    for (int64_t j = 0; j < columns; j += width)
      interleaveRows(block.data + j, block.stride, HWY_MIN(width, columns - j), rows, target + j * room + p * width, width, width, kPackRows / 2);
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
