// Division by a number that the host knows: a product's upper half and a shift, where the device's own takes twenty instructions.
#ifndef ZP_RUNTIME_KERNELS_CUDA_DIVISOR_H
#define ZP_RUNTIME_KERNELS_CUDA_DIVISOR_H

#include "runtime/kernels/cuda/language.h"

namespace zp::rt::cuda {

/// From 1 to kMost; so is what is divided, or 0.
struct Divisor {
  static constexpr int64_t kMost = INT32_MAX;
  uint32_t value, multiplier; ///< 2^(31 + shift) over value, rounded up; a power of two gets one more
  int shift = 0;              ///< of the least power of two that isn't below value

  explicit Divisor(int64_t divisor) : value(static_cast<uint32_t>(divisor)) {
    while (int64_t{1} << shift < divisor)
      ++shift;
    multiplier = static_cast<uint32_t>((uint64_t{1} << (31 + shift)) / value + 1);
  }
};

ZP_DEVICE uint32_t operator/(uint32_t number, const Divisor &divisor) { return __umulhi(2 * number, divisor.multiplier) >> divisor.shift; }
ZP_DEVICE int64_t operator/(int64_t number, const Divisor &divisor) { return number / static_cast<int64_t>(divisor.value); }

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_DIVISOR_H
