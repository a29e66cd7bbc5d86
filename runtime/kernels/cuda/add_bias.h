// A bias that no product's epilogue takes, because it is of another dtype than the target.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ADD_BIAS_H
#define ZP_RUNTIME_KERNELS_CUDA_ADD_BIAS_H

#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/schema/tensor_view.h"

namespace zp::rt::cuda {

template <typename S, typename T> struct AddBias {
  const S *bias;
  T *target;
  int64_t width;
  ZP_DEVICE void operator()(auto row, auto column, auto count) const {
    float values[kPack], added[kPack];
    T *place = target + width * row + column;
    load(place, count, values);
    load(bias + column, count, added);
    for (int e = 0; e < kPack; ++e)
      values[e] += added[e];
    store(place, count, values);
  }
};

/// target[m,n] += bias[n], rounded once.
inline void addBias(const Context &context, const TensorView &bias, const TensorView &target) {
  withElement(bias.dtype, [&](auto from) {
    withElement(target.dtype, [&](auto to) {
      using S = decltype(from);
      using T = decltype(to);
      const AddBias<S, T> body{bias.as<S>(), target.as<T>(), target.dims[1]};
      forRows(context, target.dims[0], target.dims[1], body, body.bias, body.target);
    });
  });
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_ADD_BIAS_H
