// A case of attention as a fused kernel is told of it, and where its operands lie.
#ifndef ZP_RUNTIME_KERNELS_CUDA_FUSED_CASE_H
#define ZP_RUNTIME_KERNELS_CUDA_FUSED_CASE_H

#include <compare>
#include <cstdint>

#include "runtime/schema/dtypes.h"

namespace zp::rt::cuda {

/// Attention of rows to themselves (plan.attention with one length and one list of segments: every query sees itself), or its
/// gradient. No dropout. A case may be a part of an instruction: pitches are elements between neighbours as they lie, among heads
/// and rows of others.
struct FusedCase {
  bool gradient = false;
  DType dtype = DType::BF16; ///< BF16 or F16
  int64_t rows = 0, heads = 0, kvHeads = 0, length = 0, headDim = 0;
  int64_t window = 0; ///< 0: none
  bool causal = false, biased = false;
  double scale = 1;
  int64_t queryPitch = 0;                                  ///< of tokens of query and what has its shape; heads lie side by side
  int64_t keyPitch = 0;                                    ///< of tokens of key, value and their gradients
  int64_t biasPitch = 0;                                   ///< of heads of the bias, an f32 a key
  int64_t statisticsHeadPitch = 0, statisticsRowPitch = 0; ///< of log_sum_exp: natural logarithm, over scores with scale and bias

  auto operator<=>(const FusedCase &) const = default;
};

/// First elements, on the device. Segments are i32, a token each; without a bias `bias` is null; the last four are of a gradient.
struct FusedOperands {
  void *query = nullptr, *key = nullptr, *value = nullptr, *segments = nullptr, *bias = nullptr;
  void *out = nullptr, *logSumExp = nullptr; ///< written; read by the gradient
  void *gradOut = nullptr, *gradQuery = nullptr, *gradKey = nullptr, *gradValue = nullptr;
};

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_FUSED_CASE_H
