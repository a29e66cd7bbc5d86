// Products with a side of at most kDotColumns: a few dot products per row of the long operand, both along contiguous K.
// LoRA's x·Aᵀ (rank 8) reads x once, as it lies; packing it would cost as much as the product.
#if defined(ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H
#endif

#include "runtime/kernels/gemm/row_source-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

inline constexpr int64_t kDotColumns = 8, kDotBlock = 1024, kDotRows = 96;
/// Columns of the small side whose sums for three rows are registers.
inline constexpr int kDotGroup = HWY_MAX_BYTES >= 64 ? 8 : 4;

/// sums[r][j] += x[r]·y[j] over k for R rows and kDotGroup columns of the small side, which lies as [j][kDotBlock] in f32. As many rows from
/// `ahead` on will be wanted next.
template <int R, typename T> HWY_INLINE void dotRows(const T *x, int64_t xStride, const float *y, int64_t k, const T *ahead, float *sums) {
  const F32 d;
  VF32 sum[R][kDotGroup];
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kDotGroup; ++j)
      sum[r][j] = hn::Zero(d);
  forVectors(0, k, [&](int64_t p, auto vector) HWY_ATTR {
    VF32 row[R];
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
      row[r] = vector(d, x + r * xStride + p);
      if (ahead)
        hwy::Prefetch(ahead + r * xStride + p);
    }
#pragma GCC unroll 8
    for (int j = 0; j < kDotGroup; ++j) {
      const VF32 column = vector(d, y + j * kDotBlock + p);
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r)
        sum[r][j] = hn::MulAdd(row[r], column, sum[r][j]);
    }
  });
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kDotGroup; ++j)
      sums[r * kDotColumns + j] += sumLanes(d, sum[r][j]);
}

/// sums[rows][kDotColumns] of rows [row, row + rows) of x with the small side: y lies as [k][columns] or as [columns][k].
template <typename T>
HWY_NOINLINE void dotTile(const RowSource<T> &x, int64_t row, int64_t rows, const RowSource<T> &y, bool yByRow, int64_t columns, int64_t k,
                          float *sums) {
  HWY_ALIGN float small[kDotColumns * kDotBlock];
  HWY_ALIGN T scratch[kDotColumns * kDotBlock];
  std::memset(sums, 0, sizeof(float) * rows * kDotColumns);
  for (int64_t first = 0; first < k; first += kDotBlock) {
    const int64_t here = HWY_MIN(kDotBlock, k - first);
    const RowBlock<T> side = yByRow ? y.block(first, here, 0, columns, scratch) : y.block(0, columns, first, here, scratch);
    const int64_t alongK = yByRow ? side.stride : 1, alongColumns = yByRow ? 1 : side.stride;
    for (int64_t j = 0; j < kDotColumns; ++j)
      for (int64_t p = 0; p < here; ++p)
        small[j * kDotBlock + p] = j < columns ? toFloat(side.data[p * alongK + j * alongColumns]) : 0.0f;
    for (int64_t j = 0; j < columns; j += kDotGroup) {
      int64_t r = 0;
      for (; r + 3 <= rows; r += 3) {
        const RowBlock<T> block = x.block(row + r, 3, first, here, scratch);
        const T *ahead = j == 0 && !x.codes() ? block.data + 3 * block.stride : nullptr; // may lie behind the matrix
        dotRows<3>(block.data, block.stride, small + j * kDotBlock, here, ahead, sums + r * kDotColumns + j);
      }
      for (; r < rows; ++r) {
        const RowBlock<T> block = x.block(row + r, 1, first, here, scratch);
        dotRows<1>(block.data, block.stride, small + j * kDotBlock, here, static_cast<const T *>(nullptr), sums + r * kDotColumns + j);
      }
    }
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
