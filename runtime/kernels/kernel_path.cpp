#include "runtime/kernels/kernel_path.h"

#include <atomic>
#include <cstring>

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/targets.h"

#include "hwy/highway.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace zp::rt {
namespace {

/// What the CPU has, asked before anything is disabled.
int64_t cpuTargets() {
  static const int64_t targets = hwy::SupportedTargets();
  return targets;
}

#if HWY_ARCH_X86
constexpr int64_t kAvx512Target = HWY_AVX3, kAvx2Target = HWY_AVX2;
#else
constexpr int64_t kAvx512Target = 0, kAvx2Target = 0;
#endif

bool madeByIntel() {
#if defined(__x86_64__)
  uint32_t top, name[3];
  return __get_cpuid(0, &top, &name[0], &name[2], &name[1]) && std::memcmp(name, "GenuineIntel", 12) == 0;
#else
  return false;
#endif
}

KernelPath fastest() {
  for (KernelPath path : kKernelPaths)
    if (canRun(path) && !(path == KernelPath::Avx512Bf16 && madeByIntel()))
      return path;
  return KernelPath::Portable;
}

std::atomic<KernelPath> &chosen() {
  static std::atomic<KernelPath> path = fastest();
  return path;
}

/// Highway's targets that a path leaves out. The better a target, the lower its bit.
int64_t targetsAbove(KernelPath path) {
  switch (path) {
  case KernelPath::Portable:
    return HWY_STATIC_TARGET - 1;
  case KernelPath::Avx2:
    return kAvx2Target - 1;
  default:
    return 0;
  }
}

} // namespace

const char *textOf(KernelPath path) {
  switch (path) {
  case KernelPath::Portable:
    return "portable";
  case KernelPath::Avx2:
    return "avx2";
  case KernelPath::Avx512:
    return "avx512";
  case KernelPath::Avx512Bf16:
    return "avx512_bf16";
  case KernelPath::Amx:
    return "amx";
  }
  return "?";
}

bool canRun(KernelPath path) {
  const bool avx512 = (cpuTargets() & kAvx512Target) != 0;
  switch (path) {
  case KernelPath::Portable:
    return true;
  case KernelPath::Avx2:
    return (cpuTargets() & kAvx2Target) != 0;
  case KernelPath::Avx512:
    return avx512;
  case KernelPath::Avx512Bf16:
    return avx512 && bf16Engine(Bf16EngineKind::Avx512);
  case KernelPath::Amx:
    return avx512 && bf16Engine(Bf16EngineKind::Amx);
  }
  return false;
}

KernelPath kernelPath() { return chosen().load(std::memory_order_relaxed); }

Status useKernelPath(std::string_view name) {
  std::string runnable;
  for (KernelPath path : kKernelPaths) {
    if (!canRun(path))
      continue;
    if (name == textOf(path)) {
      hwy::DisableTargets(targetsAbove(path));
      chosen() = path;
      return {};
    }
    runnable += (runnable.empty() ? "" : ", ") + std::string(textOf(path));
  }
  bool known = false;
  for (KernelPath path : kKernelPaths)
    known |= name == textOf(path);
  return Status(ErrorCode::Usage, "--kernel_path: is '" + std::string(name) + "'" + (known ? ", which this CPU cannot run" : "") +
                                      ", expected one of " + runnable + "; leave the flag out for the fastest");
}

std::string listKernelPaths() {
  std::string text;
  for (KernelPath path : kKernelPaths)
    text += canRun(path) ? std::string("runs: ") + textOf(path) + "\n" : std::string("cannot run: ") + textOf(path) + " (the CPU lacks it)\n";
  return text;
}

} // namespace zp::rt
