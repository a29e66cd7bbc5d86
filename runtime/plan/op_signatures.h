// What the op table says of each opcode, as data: who carries it out, its operands and how it touches them.
#ifndef ZP_RUNTIME_PLAN_OP_SIGNATURES_H
#define ZP_RUNTIME_PLAN_OP_SIGNATURES_H

#include <cstdint>
#include <span>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

enum class OpExecutor : uint8_t { Device, Stream, Engine, Loader };

struct OperandSignature {
  const char *name;
  bool optional;
  bool reads;
  bool writes;
};

struct OpSignature {
  const char *name;
  fbs::OpAttrs opcode;
  OpExecutor executor;
  std::span<const OperandSignature> operands;
};

inline constexpr uint32_t kAbsent = 0xffffffff;

/// Null for a number that is no opcode.
const OpSignature *findSignature(fbs::OpAttrs opcode);

/// How one instruction touches one operand. It differs from the signature where an attribute says so: a matmul that does
/// not accumulate writes its target without having read it.
struct Access {
  bool reads;
  bool writes;
};
Access accessOf(const fbs::Instruction &instruction, const OpSignature &signature, size_t operand);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_OP_SIGNATURES_H
