// What the gradient of attention has of a query and a key, by whatever units it is computed.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_GRADIENT_CUDA_OPERANDS_H
#define ZP_RUNTIME_KERNELS_ATTENTION_GRADIENT_CUDA_OPERANDS_H

#include "runtime/kernels/attention/cuda_tile.h"

namespace zp::rt::cuda {

template <typename T> struct GradientOperands {
  const T *gradOut, *query, *key, *value;
  const float *logSumExp, *deltas;
};

/// Of a query and a key: the probability as it meets the value, and the gradient of the score.
struct Weighted {
  float probability, gradient;
};
/// Query place i of a row sees key place j, with that score; grad_out·value is `product`.
template <typename T, bool kDropped>
ZP_DEVICE Weighted weigh(const AttentionShape &shape, int64_t head, int64_t row, int64_t i, int64_t j, float score, float product, float logSumExp,
                         float delta) {
  const float p = exponential<T>(score - logSumExp);
  if constexpr (kDropped) {
    const float kept = shape.keptOf(head, row, i, j);
    return {kept * p, p * (kept * product - delta)};
  }
  return {p, p * (product - delta)};
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_ATTENTION_GRADIENT_CUDA_OPERANDS_H
