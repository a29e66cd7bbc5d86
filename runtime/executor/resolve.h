// From a plan's instructions to calls: arguments decoded once into one block, kernels found and asked whether they take them.
#ifndef ZP_RUNTIME_EXECUTOR_RESOLVE_H
#define ZP_RUNTIME_EXECUTOR_RESOLVE_H

#include <functional>
#include <memory>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/kernels/registry.h"
#include "runtime/plan/checks/check_instructions.h"
#include "runtime/plan/op_signatures.h"
#include "runtime/plan/plan_file.h"

namespace zp::rt {

/// One instruction, ready to run. `operands` are in the table's order, absent ones without data.
struct ResolvedInstruction {
  const fbs::Instruction *source = nullptr;
  const OpSignature *op = nullptr;
  const KernelEntry *kernel = nullptr; ///< of ops that run on the device
  const void *args = nullptr;          ///< the kernel's arguments
  std::vector<TensorView> operands;    ///< of the others
};

struct ResolvedPlan {
  std::vector<std::vector<ResolvedInstruction>> entries;
  std::unique_ptr<std::byte[]> arguments;
};

/// `addressOf(buffer)`: where a buffer lies. Errors: PlanInvalid with the instruction's place, when a kernel refuses.
StatusOr<ResolvedPlan> resolve(const PlanFile &plan, const std::function<void *(uint32_t buffer)> &addressOf);

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_RESOLVE_H
