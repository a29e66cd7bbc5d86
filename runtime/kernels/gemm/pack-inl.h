// Packing: what the register kernel of micro-inl.h reads, from matrices as they lie.
//
// Packed A: panels of kMR rows, [k][kMR]. Packed B: panels of up to kNV vectors of columns, [k][vectors·lanes]. Both are
// padded with zeros.
#if defined(ZP_RUNTIME_KERNELS_GEMM_PACK_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_PACK_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_PACK_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_PACK_INL_H
#endif

#include "runtime/kernels/gemm/micro-inl.h"
#include "runtime/kernels/gemm/row_source-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Blocking. A panel of B (kKBlock × kNR) stays in L1, a block of A (kMBlock × kKBlock) and the tile's B in L2.
/// All of a tile's scratch is under 1 MiB: it lies on the thread's stack.
inline constexpr int64_t kKBlock = 256, kMBlock = 48, kMTile = 512, kNTile = kNR * (288 / kNR);

#if HWY_TARGET != HWY_SCALAR
/// Four columns of as many rows as the vector has lanes, as its 16-byte blocks: block b has row 4b.
template <class D, typename T> HWY_INLINE hn::Vec<D> loadBlocks(D d, const T *from, int64_t stride) {
  if constexpr (hn::MaxLanes(d) == 4) {
    return load(d, from);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, loadBlocks(half, from + hn::MaxLanes(d) / 2 * stride, stride), loadBlocks(half, from, stride));
  }
}

/// Transposes as many rows as the vector has lanes.
template <class D, typename T>
HWY_INLINE void transposeVectors(D d, const T *source, int64_t sourceStride, int64_t k, float *target, int64_t targetStride) {
  const hn::Repartition<double, D> wide;
  float *to = target;
  int64_t p = 0;
  for (; p + 4 <= k; p += 4, to += 4 * targetStride) {
    const auto v0 = loadBlocks(d, source + p, sourceStride), v1 = loadBlocks(d, source + sourceStride + p, sourceStride);
    const auto v2 = loadBlocks(d, source + 2 * sourceStride + p, sourceStride), v3 = loadBlocks(d, source + 3 * sourceStride + p, sourceStride);
    const auto a = hn::BitCast(wide, hn::InterleaveLower(d, v0, v1)), b = hn::BitCast(wide, hn::InterleaveLower(d, v2, v3));
    const auto c = hn::BitCast(wide, hn::InterleaveUpper(d, v0, v1)), e = hn::BitCast(wide, hn::InterleaveUpper(d, v2, v3));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, a, b)), d, to);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, a, b)), d, to + targetStride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, c, e)), d, to + 2 * targetStride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, c, e)), d, to + 3 * targetStride);
  }
  for (; p < k; ++p, to += targetStride)
    for (size_t i = 0; i < hn::MaxLanes(d); ++i)
      to[i] = toFloat(source[static_cast<int64_t>(i) * sourceStride + p]);
}
#endif

/// target[k·targetStride + i] = source[i·sourceStride + k] for i < rows <= width, zero up to width: a transpose.
template <typename T>
HWY_INLINE void packTransposed(const T *source, int64_t sourceStride, int64_t rows, int64_t k, float *target, int64_t targetStride, int64_t width) {
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  for (; i + kLanes <= rows; i += kLanes)
    transposeVectors(F32(), source + i * sourceStride, sourceStride, k, target + i, targetStride);
  for (; i + 4 <= rows; i += 4)
    transposeVectors(hn::FixedTag<float, 4>(), source + i * sourceStride, sourceStride, k, target + i, targetStride);
#endif
  for (; i < rows; ++i)
    for (int64_t p = 0; p < k; ++p)
      target[p * targetStride + i] = toFloat(source[i * sourceStride + p]);
  for (; i < width; ++i)
    for (int64_t p = 0; p < k; ++p)
      target[p * targetStride + i] = 0;
}

/// target[k·targetStride + i] = source[k·sourceStride + i] for i < columns <= width, zero up to width: a copy.
template <typename T>
HWY_INLINE void packRows(const T *source, int64_t sourceStride, int64_t columns, int64_t k, float *target, int64_t targetStride, int64_t width) {
  const F32 d;
  for (int64_t p = 0; p < k; ++p) {
    const T *from = source + p * sourceStride;
    float *to = target + p * targetStride;
    int64_t i = 0;
    for (; i + kLanes <= columns; i += kLanes)
      hn::StoreU(load(d, from + i), d, to + i);
    for (; i < columns; ++i)
      to[i] = toFloat(from[i]);
    for (; i < width; ++i)
      to[i] = 0;
  }
}

/// Vectors in the panel of B that begins at `column` of `columns`, and where it lies: panels follow each other.
HWY_INLINE int panelVectors(int64_t column, int64_t columns) {
  return static_cast<int>(HWY_MIN((columns - column + kLanes - 1) / kLanes, int64_t{kNV}));
}

/// Rows of B that are packed at a time, of at most kPackLength elements.
inline constexpr int64_t kPackRows = 8, kPackLength = HWY_MAX(kKBlock, kNTile);

/// Packs rows [first, first + k) and columns [column, column + columns) of op(B) into panels, a few rows of B at a time: their
/// lines and page are used up while they are near, whatever the stride, and codes are decoded into little memory.
template <typename T>
HWY_INLINE void packB(const RowSource<T> &b, bool transposed, int64_t first, int64_t k, int64_t column, int64_t columns, float *target) {
  HWY_ALIGN T scratch[kPackRows * decodedStride(kPackLength)];
  if (transposed) {
    for (int64_t panel = 0; panel < columns; panel += kNR) {
      const int64_t width = panelVectors(panel, columns) * kLanes, here = HWY_MIN(width, columns - panel);
      for (int64_t i = 0; i < width; i += kPackRows) {
        const int64_t rows = HWY_MAX(HWY_MIN(kPackRows, here - i), int64_t{0}); // none: padding
        b.prefetch(column + panel + i + kPackRows, rows, first, k);
        const RowBlock<T> block = b.block(column + panel + i, rows, first, k, scratch);
        packTransposed(block.data, block.stride, rows, k, target + i, width, HWY_MIN(kPackRows, width - i));
      }
      target += width * k;
    }
    return;
  }
  for (int64_t p = 0; p < k; p += kPackRows) {
    const int64_t rows = HWY_MIN(kPackRows, k - p);
    b.prefetch(first + p + kPackRows, rows, column, columns);
    const RowBlock<T> block = b.block(first + p, rows, column, columns, scratch);
    float *to = target;
    for (int64_t panel = 0; panel < columns; panel += kNR) {
      const int64_t width = panelVectors(panel, columns) * kLanes;
      packRows(block.data + panel, block.stride, HWY_MIN(width, columns - panel), rows, to + p * width, width, width);
      to += width * k;
    }
  }
}

/// Packs a [rows, k] block of op(A) into panels of kMR rows.
template <typename T> HWY_INLINE void packA(const T *a, int64_t lda, bool transposed, int64_t rows, int64_t k, float *target) {
  for (int64_t row = 0; row < rows; row += kMR, target += kMR * k) {
    const int64_t here = HWY_MIN(int64_t{kMR}, rows - row);
    if (!transposed) {
      packTransposed(a + row * lda, lda, here, k, target, kMR, kMR);
      continue;
    }
    const T *from = a + row;
    for (int64_t p = 0; p < k; ++p)
      for (int64_t i = 0; i < kMR; ++i)
        target[p * kMR + i] = i < here ? toFloat(from[p * lda + i]) : 0.0f;
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
