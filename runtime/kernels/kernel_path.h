// The ways in which a CPU can run the kernels: vector length, and what multiplies bf16. One is chosen for the whole process: the
// fastest that this CPU can run, unless a caller restricts the choice.
//
// Paths sum products in different orders, so results differ in their last bits between them, never within one.
#ifndef ZP_RUNTIME_KERNELS_KERNEL_PATH_H
#define ZP_RUNTIME_KERNELS_KERNEL_PATH_H

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace zp::rt {

enum class KernelPath : uint8_t {
  Portable,   ///< Highway's scalar code: correct, slow
  Avx2,       ///< and fused multiply-add
  Avx512,     ///< bf16 is converted and multiplied in f32
  Avx512Bf16, ///< bf16 by AVX-512's dot products of pairs
  Amx,        ///< bf16 by AMX tiles
};
/// The fastest first.
inline constexpr KernelPath kKernelPaths[] = {KernelPath::Amx, KernelPath::Avx512Bf16, KernelPath::Avx512, KernelPath::Avx2, KernelPath::Portable};

/// "amx", "avx512_bf16", "avx512", "avx2", "portable": values of the flag --kernel_path.
const char *textOf(KernelPath path);

bool canRun(KernelPath path);

/// The path in use. Without a restriction the first of kKernelPaths that can run, but avx512_bf16 only on CPUs not by Intel,
/// whose pair products are slower than f32 multiply-adds.
KernelPath kernelPath();

/// Uses the path of that name from now on. A Usage error, which names what can run, when the name is unknown or this CPU cannot
/// run it. To be called before any kernel runs.
Status useKernelPath(std::string_view name);

/// A line for each path: "runs: avx2" or "cannot run: amx (the CPU lacks it)".
std::string listKernelPaths();

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_KERNEL_PATH_H
