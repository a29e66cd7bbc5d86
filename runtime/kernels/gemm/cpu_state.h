// What the system saves of a CPU's registers when it switches threads: instructions without that are not to be used.
#ifndef ZP_RUNTIME_KERNELS_GEMM_CPU_STATE_H
#define ZP_RUNTIME_KERNELS_GEMM_CPU_STATE_H

#include <cpuid.h>

#include <cstdint>

namespace zp::rt {

/// Whether all of `wanted`'s bits are set in XCR0, the register that says so. x86-64.
inline bool savedState(uint64_t wanted) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
    return false;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((low | uint64_t{high} << 32) & wanted) == wanted;
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_GEMM_CPU_STATE_H
