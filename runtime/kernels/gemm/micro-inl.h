// The register kernel of the matrix product, per target. What it reads is packed by pack-inl.h and padded with zeros, so it has
// no tails of its own; what it writes is cut to size by its caller.
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
HWY_INLINE void runMicro(int vectors, int64_t k, const float *a, int64_t aStride, const float *b, int64_t bStride, const float *previous,
                         int64_t previousStride, float *out, int64_t outStride) {
  if (vectors == 3)
    microKernel<3, Direct>(k, a, aStride, b, bStride, previous, previousStride, out, outStride);
  else if (vectors == 2)
    microKernel<2, Direct>(k, a, aStride, b, bStride, previous, previousStride, out, outStride);
  else
    microKernel<1, Direct>(k, a, aStride, b, bStride, previous, previousStride, out, outStride);
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
