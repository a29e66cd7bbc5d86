// The AMX instructions that bf16 products are made of, as Intel's manual (volume 2, "TILELOADD" and the like) describes them: decoded from
// their bytes, done on tiles in memory.
#ifndef ZP_TESTS_SUPPORT_EMULATED_AMX_AMX_INSTRUCTIONS_H
#define ZP_TESTS_SUPPORT_EMULATED_AMX_AMX_INSTRUCTIONS_H

#include <cstdint>

namespace zp::rt::test {

/// What a thread's tiles hold. Palette 1: eight tiles of at most 16 rows of 64 bytes.
struct TileState {
  static constexpr int kTiles = 8, kRows = 16, kRowBytes = 64;
  bool configured = false;
  int rows[kTiles] = {}, rowBytes[kTiles] = {};
  alignas(64) uint8_t data[kTiles][kRows][kRowBytes] = {};
};

/// The general registers in the numbering of instructions (rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 …).
struct Registers {
  uint64_t general[16];
};

enum class Emulated : uint8_t {
  Done,
  NotAmx,  ///< the bytes are something else's
  Illegal, ///< AMX, but the CPU would refuse: no configuration, a bad one, a row or tile that isn't there
};

struct Outcome {
  Emulated what;
  int length;         ///< bytes of the instruction
  const char *reason; ///< of Illegal
};

/// Does the instruction at `code`.
Outcome emulateAmx(const uint8_t *code, const Registers &registers, TileState &tiles);

} // namespace zp::rt::test

#endif // ZP_TESTS_SUPPORT_EMULATED_AMX_AMX_INSTRUCTIONS_H
