#include "runtime/executor/moved_bytes.h"

#include "runtime/executor/resolve.h"

namespace zp::rt {

void MovedBytes::add(const ResolvedInstruction &instruction, uint64_t ranks) {
  const uint64_t others = ranks - 1;
  switch (instruction.source->op_type()) {
  case fbs::OpAttrs::AllGather:
    gathered += others * instruction.operands[0].bytes();
    break;
  case fbs::OpAttrs::ReduceScatter:
    reduced += others * instruction.operands[1].bytes();
    break;
  case fbs::OpAttrs::AllReduce:
    reduced += instruction.operands[0].bytes() / ranks * others;
    break;
  default:
    break;
  }
}

} // namespace zp::rt
