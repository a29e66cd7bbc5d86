// Takes the place of runtime/kernels/gemm/amx_support.cpp in programs that are linked with it: a CPU without AMX raises SIGILL at each of its
// instructions, and is answered by amx_instructions.h, so that what runs is the very code of a CPU with AMX. A thousand times slower.
#include "runtime/kernels/gemm/amx_support.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstring>

#include "tests/support/emulated_amx/amx_instructions.h"

namespace zp::rt {
namespace {

thread_local test::TileState tiles;

void say(const char *reason) { // by what a signal's handler may call
  const char before[] = "emulated AMX: ";
  (void)!write(STDERR_FILENO, before, sizeof before - 1);
  (void)!write(STDERR_FILENO, reason, std::strlen(reason));
  (void)!write(STDERR_FILENO, "\n", 1);
}

void answer(int, siginfo_t *, void *interrupted) {
  constexpr int kOrder[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  auto &cpu = static_cast<ucontext_t *>(interrupted)->uc_mcontext.gregs;
  test::Registers registers;
  for (int i = 0; i < 16; ++i)
    registers.general[i] = static_cast<uint64_t>(cpu[kOrder[i]]);
  for (bool first = true;; first = false) { // and what follows, as long as it is AMX: a signal costs more than an instruction
    const test::Outcome outcome = test::emulateAmx(reinterpret_cast<const uint8_t *>(cpu[REG_RIP]), registers, tiles);
    if (outcome.what == test::Emulated::Done) {
      cpu[REG_RIP] += outcome.length;
      continue;
    }
    if (!first)
      return; // raises a signal of its own, if it is anything that this answers
    if (outcome.reason)
      say(outcome.reason);
    break;
  }
  signal(SIGILL, SIG_DFL); // the instruction again, which then ends the process
}

} // namespace

/// Not where the CPU has AMX: nothing would be raised, and the path is tested as it is.
bool mayUseAmx() {
  constexpr uint32_t kAmxTile = 1u << 24;
  uint32_t a, b, c, d;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kAmxTile))
    return false;
  struct sigaction action = {};
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  return sigaction(SIGILL, &action, nullptr) == 0;
}

} // namespace zp::rt

#else
bool zp::rt::mayUseAmx() { return false; }
#endif
