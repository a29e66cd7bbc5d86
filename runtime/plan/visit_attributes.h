// The attributes of an instruction, field by field, for who needs no type of its own for each opcode.
#ifndef ZP_RUNTIME_PLAN_VISIT_ATTRIBUTES_H
#define ZP_RUNTIME_PLAN_VISIT_ATTRIBUTES_H

#include <flatbuffers/minireflect.h>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// Nothing for an opcode that this build doesn't know.
inline void visitAttributes(const fbs::Instruction &instruction, flatbuffers::IterationVisitor &visitor) {
  auto object = static_cast<const uint8_t *>(instruction.op());
  switch (instruction.op_type()) {
#define ZP_PLAN_OP(Class, name, opcode, executor)                                                                                                    \
  case fbs::OpAttrs::Class:                                                                                                                          \
    flatbuffers::IterateObject(object, fbs::Class##AttrsTypeTable(), &visitor);                                                                      \
    break;
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
  default:
    break;
  }
}

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_VISIT_ATTRIBUTES_H
