#include "runtime/executor/resolve.h"

#include <algorithm>
#include <cstddef>

#include "runtime/base/checked_math.h"

namespace zp::rt {

std::vector<TensorView> viewsOf(const fbs::Plan &plan, const std::function<void *(uint32_t buffer)> &addressOf) {
  std::vector<TensorView> views;
  views.reserve(plan.tensors()->size());
  for (const fbs::Tensor *tensor : *plan.tensors()) {
    TensorView view;
    if (auto *base = static_cast<std::byte *>(addressOf(tensor->buffer())))
      view.data = base + tensor->offset();
    view.dtype = static_cast<DType>(tensor->dtype());
    view.rank = static_cast<int>(tensor->dims()->size());
    std::copy(tensor->dims()->begin(), tensor->dims()->end(), view.dims.begin());
    views.push_back(view);
  }
  return views;
}

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
      operands.clear();
      if (instruction.operands())
        for (uint32_t index : *instruction.operands())
          operands.push_back(index == kAbsent ? TensorView{} : views[index]);
      out[i].source = &instruction;
      out[i].op = findSignature(instruction.op_type());
      out[i].kernel = findKernel(static_cast<uint8_t>(instruction.op_type()));
      if (!out[i].kernel) {
        out[i].operands = operands;
        continue;
      }
      out[i].kernel->decode(instruction.op(), operands, next);
      out[i].args = next;
      if (Status status = out[i].kernel->check(next); !status.ok())
        return Status(ErrorCode::PlanInvalid, file.path() + ": entries[" + std::to_string(e) + "].instructions[" + std::to_string(i) + "]: " +
                                                  status.message() + "; compile the plan again with the zpc of this build");
      next += alignUp(out[i].kernel->argsSize, alignment);
    }
  }
  return resolved;
}

Status checkInstructions(const PlanFile &file) {
  // Addresses as in arenas that lie far apart, never followed: the checks compare them for overlap and alignment.
  auto address = [&](uint32_t index) {
    const fbs::Buffer &buffer = *file.plan().buffers()->Get(index);
    return reinterpret_cast<void *>(((static_cast<uintptr_t>(buffer.tier()) + 1) << 52) + buffer.offset());
  };
  return resolve(file, address).status();
}

} // namespace zp::rt
