// Philox on a device.
#ifndef ZP_RUNTIME_KERNELS_CUDA_PHILOX_H
#define ZP_RUNTIME_KERNELS_CUDA_PHILOX_H

#include "runtime/kernels/cuda/language.h"
#include "runtime/kernels/philox.h"

namespace zp::rt::cuda {

struct Words {
  uint32_t at[4];
};

/// philox4x32 of runtime/kernels/philox.h.
ZP_DEVICE Words philox(Words counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint32_t high0 = __umulhi(kPhiloxMultiplier0, counter.at[0]), low0 = kPhiloxMultiplier0 * counter.at[0];
    const uint32_t high1 = __umulhi(kPhiloxMultiplier1, counter.at[2]), low1 = kPhiloxMultiplier1 * counter.at[2];
    counter = {{high1 ^ counter.at[1] ^ key0, low1, high0 ^ counter.at[3] ^ key1, low0}};
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return counter;
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_PHILOX_H
