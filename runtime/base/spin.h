// How a thread waits for a moment: politely to its sibling on the core.
#ifndef ZP_RUNTIME_BASE_SPIN_H
#define ZP_RUNTIME_BASE_SPIN_H

namespace zp {

inline void pauseCpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Looks at `condition` up to `rounds` times; whether it came true.
template <typename F> bool spinUntil(F &&condition, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    if (condition())
      return true;
    pauseCpu();
  }
  return false;
}

} // namespace zp

#endif // ZP_RUNTIME_BASE_SPIN_H
