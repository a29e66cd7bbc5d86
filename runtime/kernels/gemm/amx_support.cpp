#include "runtime/kernels/gemm/amx_support.h"

#if defined(__x86_64__) && defined(__linux__)
#include "runtime/kernels/gemm/cpu_state.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace zp::rt {

bool mayUseAmx() {
  constexpr uint32_t kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  constexpr uint64_t kTileState = 0x60000;
  constexpr long kRequestPermission = 0x1023, kTileData = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  uint32_t a, b, c, d;
  return savedState(kTileState) && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kAmxBf16) && (d & kAmxTile) &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

} // namespace zp::rt

#else
bool zp::rt::mayUseAmx() { return false; }
#endif
