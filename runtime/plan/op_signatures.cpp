#include "runtime/plan/op_signatures.h"

#include <array>

namespace zp::rt {
namespace {

#define ZP_OPERAND(Class, index, name, optional, reads, writes) {#name, optional != 0, reads != 0, writes != 0},
#define ZP_OPERANDS(Class, count)
constexpr OperandSignature kOperands[] = {
#include "runtime/schema/generated/op_signatures.inc"
};
#undef ZP_OPERAND
#undef ZP_OPERANDS

struct Range {
  fbs::OpAttrs opcode;
  size_t count;
};
#define ZP_OPERAND(Class, index, name, optional, reads, writes)
#define ZP_OPERANDS(Class, count) {fbs::OpAttrs::Class, count},
constexpr Range kRanges[] = {
#include "runtime/schema/generated/op_signatures.inc"
};
#undef ZP_OPERAND
#undef ZP_OPERANDS

#define ZP_PLAN_OP(Class, name, number, executor)                                                                                                    \
  static_assert(static_cast<int>(fbs::OpAttrs::Class) == number, "plan_ops.fbs and plan_ops.inc disagree");
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP

constexpr OpSignature kOps[] = {
#define ZP_PLAN_OP(Class, name, number, executor) {#name, fbs::OpAttrs::Class, OpExecutor::executor, {}},
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
};

std::array<OpSignature, 256> makeTable() {
  std::array<OpSignature, 256> table{};
  for (const OpSignature &op : kOps)
    table[static_cast<size_t>(op.opcode)] = op;
  // Operands of all ops lie one after another, in the order of kRanges.
  size_t first = 0;
  for (const Range &range : kRanges) {
    table[static_cast<size_t>(range.opcode)].operands = {kOperands + first, range.count};
    first += range.count;
  }
  return table;
}

} // namespace

const OpSignature *findSignature(fbs::OpAttrs opcode) {
  static const std::array<OpSignature, 256> table = makeTable();
  const OpSignature &found = table[static_cast<size_t>(opcode)];
  return found.name ? &found : nullptr;
}

Access accessOf(const fbs::Instruction &instruction, const OpSignature &signature, size_t operand) {
  const OperandSignature &declared = signature.operands[operand];
  Access access{declared.reads, declared.writes};
  if (access.reads && access.writes) {
    const fbs::MatmulAttrs *matmul = instruction.op_as_Matmul();
    const fbs::NF4MatmulAttrs *quantized = instruction.op_as_NF4Matmul();
    if ((matmul && !matmul->accumulate()) || (quantized && !quantized->accumulate()))
      access.reads = false;
  }
  return access;
}

} // namespace zp::rt
