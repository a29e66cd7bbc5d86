#include "runtime/plan/checks/check_instructions.h"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "runtime/plan/op_signatures.h"

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

void operandsOf(const fbs::Instruction &instruction, const std::vector<TensorView> &views, std::vector<TensorView> &operands) {
  operands.clear();
  if (instruction.operands())
    for (uint32_t index : *instruction.operands())
      operands.push_back(index == kAbsent ? TensorView{} : views[index]);
}

Status decodeChecked(const PlanFile &file, uint32_t entry, uint32_t index, const KernelEntry &kernel, const std::vector<TensorView> &operands,
                     void *out) {
  kernel.decode(file.plan().entries()->Get(entry)->instructions()->Get(index)->op(), operands, out);
  Status status = kernel.check(out);
  if (status.ok())
    return status;
  return Status(ErrorCode::PlanInvalid, file.path() + ": entries[" + std::to_string(entry) + "].instructions[" + std::to_string(index) +
                                            "]: " + status.message() + "; compile the plan again with the zpc of this build");
}

Status checkInstructions(const PlanFile &file) {
  const fbs::Plan &plan = file.plan();
  // Addresses as in arenas that lie far apart, never followed: the checks compare them for overlap and alignment.
  const std::vector<TensorView> views = viewsOf(plan, [&](uint32_t index) {
    const fbs::Buffer &buffer = *plan.buffers()->Get(index);
    return reinterpret_cast<void *>(((static_cast<uintptr_t>(buffer.tier()) + 1) << 52) + buffer.offset());
  });
  size_t largest = 0;
  for (const KernelEntry &kernel : allKernels())
    largest = std::max(largest, kernel.argsSize);
  auto arguments = std::make_unique<std::byte[]>(largest); // aligned as for any object
  std::vector<TensorView> operands;
  for (uint32_t e = 0; e < plan.entries()->size(); ++e) {
    const auto &list = *plan.entries()->Get(e)->instructions();
    for (uint32_t i = 0; i < list.size(); ++i)
      if (const KernelEntry *kernel = findKernel(static_cast<uint8_t>(list.Get(i)->op_type()))) {
        operandsOf(*list.Get(i), views, operands);
        ZP_RETURN_IF_ERROR(decodeChecked(file, e, i, *kernel, operands, arguments.get()));
      }
  }
  return {};
}

} // namespace zp::rt
