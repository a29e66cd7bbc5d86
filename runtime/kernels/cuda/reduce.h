// Sums and maxima over the threads of a block, in an order that depends on the number of threads alone.
#ifndef ZP_RUNTIME_KERNELS_CUDA_REDUCE_H
#define ZP_RUNTIME_KERNELS_CUDA_REDUCE_H

#include "runtime/kernels/cuda/language.h"

namespace zp::rt::cuda {

constexpr int kBlockThreads = 256, kWarp = 32;

struct Sum {
  template <typename T> ZP_DEVICE T operator()(T a, T b) const { return a + b; }
};
struct Maximum {
  template <typename T> ZP_DEVICE T operator()(T a, T b) const { return a > b ? a : b; }
};

/// Over each run of `width` threads (a power of two up to a warp): all of them get the result.
template <typename T, typename Operation> ZP_DEVICE T reduceLanes(T value, int width, Operation operation) {
  for (int mask = width / 2; mask > 0; mask /= 2)
    value = operation(value, __shfl_xor_sync(0xffffffffu, value, mask));
  return value;
}

/// Over kBlockThreads threads: all of them get the result. Every thread of the block calls it.
template <typename T, typename Operation> ZP_DEVICE T reduceBlock(T value, Operation operation) {
  __shared__ T parts[kBlockThreads / kWarp];
  value = reduceLanes(value, kWarp, operation);
  __syncthreads(); // the parts of a reduction before this one have been read
  if (threadIdx.x % kWarp == 0)
    parts[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = parts[0];
  for (int i = 1; i < kBlockThreads / kWarp; ++i)
    value = operation(value, parts[i]);
  return value;
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_REDUCE_H
