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

/// The sums of each of kCount values over a warp: lane l gets that of values[l % kCount], in values[0]. kCount is a power of two up to a
/// warp. A lane gives half of what it holds away at a time, so that all sums take about as many steps as there are values.
template <int kCount, int kMask = kWarp / 2> ZP_DEVICE void sumByLane(float (&values)[kCount]) {
  if constexpr (kMask >= kCount) { // nothing to give away: both lanes keep all
    for (int i = 0; i < kCount; ++i)
      values[i] += __shfl_xor_sync(0xffffffffu, values[i], kMask);
  } else {
    const bool upper = threadIdx.x & kMask;
    for (int i = 0; i < kMask; ++i) {
      const float given = upper ? values[i] : values[i + kMask], kept = upper ? values[i + kMask] : values[i];
      values[i] = kept + __shfl_xor_sync(0xffffffffu, given, kMask);
    }
  }
  if constexpr (kMask > 1)
    sumByLane<kCount, kMask / 2>(values);
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
