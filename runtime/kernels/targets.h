// Which CPUs the vector code is compiled for: AVX2+FMA, AVX-512, and Highway's portable code for anything older (slow, kept
// for correctness). The 128-bit x86 targets are left out: no CPU worth training on stops there, and each target costs compile time.
// Include before hwy/foreach_target.h.
#ifndef ZP_RUNTIME_KERNELS_TARGETS_H
#define ZP_RUNTIME_KERNELS_TARGETS_H

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)

#endif // ZP_RUNTIME_KERNELS_TARGETS_H
