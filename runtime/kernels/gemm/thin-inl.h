// Products of two operands that both lie as [k][...], one of at most kDotColumns columns: the gradients of LoRA's factors.
//
// The wide side is read once, as it lies, a few rows at a time; what the narrow one makes of it is summed in L1. To pack the wide side would
// cost more than the product.
#if defined(ZP_RUNTIME_KERNELS_GEMM_THIN_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_THIN_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_THIN_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_THIN_INL_H
#endif

#include "hwy/cache_control.h"

#include "runtime/kernels/gemm/dot-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// The most columns of the wide side in a tile, and rows of it that are taken at a time.
inline constexpr int64_t kThinColumns = 512, kThinRows = 8;

/// One side of such a product: [k][columns], rows `stride` elements apart.
template <typename T> struct ThinSide {
  const T *data;
  int64_t stride, columns;
};

/// sums[kDotColumns][kThinColumns] += narrow[R rows]ᵀ·wide[R rows], the factors of `narrow` in f32, [R][kDotColumns]. R rows from `ahead` on
/// will be wanted next.
template <int R, typename T>
HWY_INLINE void thinRows(const float *factors, const T *wide, int64_t stride, int64_t columns, const T *ahead, float *sums) {
  const F32 d;
  forVectors(0, columns, [&](int64_t c, auto vector) HWY_ATTR {
    VF32 sum[kDotColumns];
#pragma GCC unroll 8
    for (int j = 0; j < kDotColumns; ++j)
      sum[j] = vector(d, sums + j * kThinColumns + c);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const VF32 row = vector(d, wide + r * stride + c);
      if (c * sizeof(T) % 64 == 0)
        hwy::Prefetch(ahead + r * stride + c);
#pragma GCC unroll 8
      for (int j = 0; j < kDotColumns; ++j)
        sum[j] = hn::MulAdd(hn::Set(d, factors[r * kDotColumns + j]), row, sum[j]);
    }
#pragma GCC unroll 8
    for (int j = 0; j < kDotColumns; ++j)
      vector(d, sum[j], sums + j * kThinColumns + c);
  });
}

/// sums[kDotColumns][kThinColumns] of narrowᵀ·wide for columns [column, column + columns) of the wide side.
template <typename T>
HWY_NOINLINE void thinTile(const ThinSide<T> &narrow, const ThinSide<T> &wide, int64_t k, int64_t column, int64_t columns, float *sums) {
  HWY_ALIGN float factors[kThinRows * kDotColumns];
  std::memset(sums, 0, sizeof(float) * kDotColumns * kThinColumns);
  for (int64_t first = 0; first < k; first += kThinRows) {
    const int64_t rows = HWY_MIN(kThinRows, k - first);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < kDotColumns; ++j)
        factors[r * kDotColumns + j] = j < narrow.columns ? toFloat(narrow.data[(first + r) * narrow.stride + j]) : 0.0f;
    const T *from = wide.data + first * wide.stride + column, *ahead = from + kThinRows * wide.stride; // may lie behind the matrix
    if (rows == kThinRows)
      thinRows<kThinRows>(factors, from, wide.stride, columns, ahead, sums);
    else
      for (int64_t r = 0; r < rows; ++r)
        thinRows<1>(factors + r * kDotColumns, from + r * wide.stride, wide.stride, columns, ahead, sums);
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
