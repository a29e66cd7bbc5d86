// Products with a side of at most kDotColumns: a few dot products per row of the long operand, both along contiguous K.
// LoRA's x·Aᵀ (rank 8) reads x once, as it lies; packing it would cost as much as the product.
#if defined(ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_DOT_INL_H
#endif

#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

inline constexpr int64_t kDotColumns = 8, kDotBlock = 1024, kDotRows = 96;

/// sums[r][j] += x[r]·y[j] over k for R rows and four columns of the small side, which lies as [j][kDotBlock] in f32.
template <int R, typename T>
HWY_INLINE void dotRows(const T *x, int64_t xStride, const float *y, int64_t k, float *sums) {
  const F32 d;
  VF32 sum[R][4];
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      sum[r][j] = hn::Zero(d);
  forVectors(0, k, [&](int64_t p, auto vector) HWY_ATTR {
    VF32 row[R];
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r)
      row[r] = vector(d, x + r * xStride + p);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const VF32 column = vector(d, y + j * kDotBlock + p);
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r)
        sum[r][j] = hn::MulAdd(row[r], column, sum[r][j]);
    }
  });
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      sums[r * kDotColumns + j] += sumLanes(d, sum[r][j]);
}

/// sums[rows][kDotColumns] of rows of x with the small side: element (p, j) at y[p·yRow + j·yColumn].
template <typename T>
HWY_NOINLINE void dotTile(const T *x, int64_t xStride, int64_t rows, const T *y, int64_t yRow, int64_t yColumn, int64_t columns,
                          int64_t k, float *sums) {
  HWY_ALIGN float small[kDotColumns * kDotBlock];
  std::memset(sums, 0, sizeof(float) * rows * kDotColumns);
  for (int64_t first = 0; first < k; first += kDotBlock) {
    const int64_t here = HWY_MIN(kDotBlock, k - first);
    for (int64_t j = 0; j < kDotColumns; ++j)
      for (int64_t p = 0; p < here; ++p)
        small[j * kDotBlock + p] = j < columns ? toFloat(y[(first + p) * yRow + j * yColumn]) : 0.0f;
    for (int64_t j = 0; j < columns; j += 4) {
      int64_t r = 0;
      for (; r + 3 <= rows; r += 3)
        dotRows<3>(x + r * xStride + first, xStride, small + j * kDotBlock, here, sums + r * kDotColumns + j);
      for (; r < rows; ++r)
        dotRows<1>(x + r * xStride + first, xStride, small + j * kDotBlock, here, sums + r * kDotColumns + j);
    }
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
