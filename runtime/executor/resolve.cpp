#include "runtime/executor/resolve.h"

#include <cstddef>

#include "runtime/base/checked_math.h"

namespace zp::rt {

StatusOr<ResolvedPlan> resolve(const PlanFile &file, const std::function<void *(uint32_t buffer)> &addressOf) {
  const fbs::Plan &plan = file.plan();
  const std::vector<TensorView> views = viewsOf(plan, addressOf);
  constexpr size_t alignment = alignof(std::max_align_t);
  size_t bytes = 0;
  for (const fbs::Entry *entry : *plan.entries())
    for (const fbs::Instruction *instruction : *entry->instructions())
      if (const KernelEntry *kernel = findKernel(static_cast<uint8_t>(instruction->op_type())))
        bytes += alignUp(kernel->argsSize, alignment);

  ResolvedPlan resolved;
  resolved.arguments = std::make_unique<std::byte[]>(bytes);
  std::byte *next = resolved.arguments.get();
  std::vector<TensorView> operands;
  for (uint32_t e = 0; e < plan.entries()->size(); ++e) {
    const auto &list = *plan.entries()->Get(e)->instructions();
    std::vector<ResolvedInstruction> &out = resolved.entries.emplace_back(list.size());
    for (uint32_t i = 0; i < list.size(); ++i) {
      const fbs::Instruction &instruction = *list.Get(i);
      operandsOf(instruction, views, operands);
      out[i].source = &instruction;
      out[i].op = findSignature(instruction.op_type());
      out[i].kernel = findKernel(static_cast<uint8_t>(instruction.op_type()));
      if (!out[i].kernel) {
        out[i].operands = operands;
        continue;
      }
      ZP_RETURN_IF_ERROR(decodeChecked(file, e, i, *out[i].kernel, operands, next));
      out[i].args = next;
      next += alignUp(out[i].kernel->argsSize, alignment);
    }
  }
  return resolved;
}

} // namespace zp::rt
