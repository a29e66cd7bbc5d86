// The part of the CUDA language that our kernels use, on a CPU: what lets their arithmetic be tested where there is no GPU.
//
// A block's threads are fibers of one thread of the CPU; blocks run one after another. A warp runs until it has come to a barrier, then another,
// and a thread until it has come to a shuffle, which all threads of its warp have to: which of them is first is the device's choice
// (order.h), so that what needs a barrier and has none comes out wrong.
#ifndef ZP_RUNTIME_DEVICE_CUDA_EMULATED_GRID_H
#define ZP_RUNTIME_DEVICE_CUDA_EMULATED_GRID_H

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __forceinline__ inline
#define __restrict__
#define __launch_bounds__(...)
// Fibers of a block share what their thread has one of.
#define __shared__ static thread_local

namespace zp::rt::cuda::emulated {

struct Index {
  unsigned x = 0;
};
inline thread_local Index threadIdx, blockIdx, blockDim, gridDim;

constexpr unsigned kMaxThreads = 1024, kWarpThreads = 32;

/// Runs `thread` once for each thread of each block.
void runGrid(unsigned blocks, unsigned threads, const std::function<void()> &thread);
/// Waits until all threads of the block are here that haven't ended.
void meetBlock();
/// Waits until all threads of the warp are here.
void meetWarp();
/// What a thread gives the others of its warp.
struct Exchanged {
  uint64_t words[6];
};
/// A place for each thread of the block, others for each exchange: what is written there can be read from the warp's next meeting until the one
/// after.
Exchanged *exchange();
/// Copies 16 bytes, or zeros from nullptr, when the thread waits for its copies.
void copyLater(void *target, const void *source);
void finishCopies();

} // namespace zp::rt::cuda::emulated

using zp::rt::cuda::emulated::blockDim;
using zp::rt::cuda::emulated::blockIdx;
using zp::rt::cuda::emulated::gridDim;
using zp::rt::cuda::emulated::threadIdx;

inline void __syncthreads() { zp::rt::cuda::emulated::meetBlock(); }
inline float __uint_as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t __float_as_uint(float value) { return std::bit_cast<uint32_t>(value); }
inline uint32_t __umulhi(uint32_t a, uint32_t b) { return static_cast<uint32_t>((uint64_t{a} * b) >> 32); }

template <typename T> T __ldg(const T *place) { return *place; }

inline float normcdff(float x) { return static_cast<float>(std::erfc(-static_cast<double>(x) / std::sqrt(2.0)) / 2); }

template <typename T> T __shfl_xor_sync(unsigned, T value, int mask) {
  static_assert(sizeof(T) <= sizeof(zp::rt::cuda::emulated::Exchanged));
  zp::rt::cuda::emulated::Exchanged *given = zp::rt::cuda::emulated::exchange();
  std::memcpy(given[threadIdx.x].words, &value, sizeof value);
  zp::rt::cuda::emulated::meetWarp();
  T other;
  std::memcpy(&other, given[threadIdx.x ^ static_cast<unsigned>(mask)].words, sizeof other);
  return other;
}

#endif // ZP_RUNTIME_DEVICE_CUDA_EMULATED_GRID_H
