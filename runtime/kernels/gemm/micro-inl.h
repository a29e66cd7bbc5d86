// The register kernel of the matrix product and the packing that feeds it, per target.
//
// Packed A: panels of kMR rows, [k][kMR]. Packed B: panels of up to kNV vectors of columns, [k][vectors·lanes]. Both are
// padded with zeros, so the kernel has no tails of its own; what it writes is cut to size by its caller.
#if defined(ZP_RUNTIME_KERNELS_GEMM_MICRO_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_MICRO_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_MICRO_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_MICRO_INL_H
#endif

#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Rows and column vectors of the register tile: 12 accumulators in 16 registers, or 24 in 32.
#if HWY_TARGET == HWY_AVX3
inline constexpr int kMR = 8;
#else
inline constexpr int kMR = 4;
#endif
inline constexpr int kNV = 3;
inline constexpr int64_t kNR = kNV * kLanes;

/// out[kMR][NV·lanes] = previous (or 0) + A·B over k. Element (i, p) of A is a[i·aStride + p] with Direct (rows along K),
/// else a[p·aStride + i] (columns, as packed panels have them). Row p of B is at b + p·bStride.
template <int NV, bool Direct>
HWY_INLINE void microKernel(int64_t k, const float *HWY_RESTRICT a, int64_t aStride, const float *HWY_RESTRICT b, int64_t bStride,
                            const float *previous, int64_t previousStride, float *out, int64_t outStride) {
  const F32 d;
  VF32 sum[kMR][NV];
#pragma GCC unroll 8
  for (int i = 0; i < kMR; ++i)
#pragma GCC unroll 3
    for (int j = 0; j < NV; ++j)
      sum[i][j] = previous ? hn::LoadU(d, previous + i * previousStride + j * kLanes) : hn::Zero(d);
  auto step = [&](const float *aColumn, const float *bRow) HWY_ATTR {
    VF32 column[NV];
#pragma GCC unroll 3
    for (int j = 0; j < NV; ++j)
      column[j] = hn::LoadU(d, bRow + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kMR; ++i) {
      const VF32 row = hn::Set(d, Direct ? aColumn[i * aStride] : aColumn[i]);
#pragma GCC unroll 3
      for (int j = 0; j < NV; ++j)
        sum[i][j] = hn::MulAdd(row, column[j], sum[i][j]);
    }
  };
  int64_t p = 0;
  for (; p + 4 <= k; p += 4) {
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u)
      step(a + (p + u) * (Direct ? 1 : aStride), b + (p + u) * bStride);
  }
  for (; p < k; ++p)
    step(a + p * (Direct ? 1 : aStride), b + p * bStride);
#pragma GCC unroll 8
  for (int i = 0; i < kMR; ++i)
#pragma GCC unroll 3
    for (int j = 0; j < NV; ++j)
      hn::StoreU(sum[i][j], d, out + i * outStride + j * kLanes);
}

/// microKernel for a number of vectors known only now.
template <bool Direct>
HWY_INLINE void runMicro(int vectors, int64_t k, const float *a, int64_t aStride, const float *b, int64_t bStride,
                         const float *previous, int64_t previousStride, float *out, int64_t outStride) {
  if (vectors == 3)
    microKernel<3, Direct>(k, a, aStride, b, bStride, previous, previousStride, out, outStride);
  else if (vectors == 2)
    microKernel<2, Direct>(k, a, aStride, b, bStride, previous, previousStride, out, outStride);
  else
    microKernel<1, Direct>(k, a, aStride, b, bStride, previous, previousStride, out, outStride);
}

/// target[k·targetStride + i] = source[i·sourceStride + k] for i < rows <= width, zero up to width: a transpose.
template <typename T>
HWY_INLINE void packTransposed(const T *source, int64_t sourceStride, int64_t rows, int64_t k, float *target, int64_t targetStride,
                               int64_t width) {
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d4;
  auto load4 = [&](const T *from) HWY_ATTR {
    if constexpr (sizeof(T) == 4) {
      return hn::LoadU(d4, from);
    } else {
      const hn::FixedTag<uint32_t, 4> u4;
      const hn::FixedTag<uint16_t, 4> h4;
      return hn::BitCast(d4, hn::ShiftLeft<16>(hn::PromoteTo(u4, hn::LoadU(h4, from))));
    }
  };
  const hn::FixedTag<double, 2> d2;
  for (; i + 4 <= rows; i += 4) {
    const T *r0 = source + i * sourceStride, *r1 = r0 + sourceStride, *r2 = r1 + sourceStride, *r3 = r2 + sourceStride;
    float *to = target + i;
    int64_t p = 0;
    for (; p + 4 <= k; p += 4, to += 4 * targetStride) {
      const auto v0 = load4(r0 + p), v1 = load4(r1 + p), v2 = load4(r2 + p), v3 = load4(r3 + p);
      const auto a = hn::BitCast(d2, hn::InterleaveLower(d4, v0, v1)), b = hn::BitCast(d2, hn::InterleaveLower(d4, v2, v3));
      const auto c = hn::BitCast(d2, hn::InterleaveUpper(d4, v0, v1)), e = hn::BitCast(d2, hn::InterleaveUpper(d4, v2, v3));
      hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, a, b)), d4, to);
      hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, a, b)), d4, to + targetStride);
      hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, c, e)), d4, to + 2 * targetStride);
      hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, c, e)), d4, to + 3 * targetStride);
    }
    for (; p < k; ++p, to += targetStride) {
      to[0] = toFloat(r0[p]);
      to[1] = toFloat(r1[p]);
      to[2] = toFloat(r2[p]);
      to[3] = toFloat(r3[p]);
    }
  }
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
HWY_INLINE void packRows(const T *source, int64_t sourceStride, int64_t columns, int64_t k, float *target, int64_t targetStride,
                         int64_t width) {
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

/// Packs a [k, columns] block of op(B) into panels.
template <typename T>
HWY_INLINE void packB(const T *b, int64_t ldb, bool transposed, int64_t columns, int64_t k, float *target) {
  // Rows in groups: a whole row's lines and page are used up while they are near, whatever its stride.
  const int64_t group = transposed ? k : 8;
  for (int64_t first = 0; first < k; first += group) {
    const int64_t height = HWY_MIN(group, k - first);
    float *panel = target;
    for (int64_t column = 0; column < columns; column += kNR) {
      const int64_t width = panelVectors(column, columns) * kLanes, here = HWY_MIN(width, columns - column);
      if (transposed)
        packTransposed(b + column * ldb, ldb, here, k, panel, width, width);
      else
        packRows(b + first * ldb + column, ldb, here, height, panel + first * width, width, width);
      panel += width * k;
    }
  }
}

/// Packs a [rows, k] block of op(A) into panels of kMR rows.
template <typename T>
HWY_INLINE void packA(const T *a, int64_t lda, bool transposed, int64_t rows, int64_t k, float *target) {
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
