// The last part of a plan's proof: whether each kernel takes its operands. It needs the kernels' checks but neither a device
// nor memory, so zpc asks it as well as zprun.
#ifndef ZP_RUNTIME_PLAN_CHECKS_CHECK_INSTRUCTIONS_H
#define ZP_RUNTIME_PLAN_CHECKS_CHECK_INSTRUCTIONS_H

#include <functional>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/kernels/registry.h"
#include "runtime/plan/plan_file.h"

namespace zp::rt {

/// Every tensor of the plan as memory; `addressOf(buffer)`: where a buffer lies, null for nowhere.
std::vector<TensorView> viewsOf(const fbs::Plan &plan, const std::function<void *(uint32_t buffer)> &addressOf);

/// The operands of an instruction in the table's order, absent ones without data.
void operandsOf(const fbs::Instruction &instruction, const std::vector<TensorView> &views, std::vector<TensorView> &operands);

/// Decodes the arguments of instruction `index` of entry `entry` into `out` and asks the kernel whether it takes them.
/// Errors: PlanInvalid with the instruction's place.
Status decodeChecked(const PlanFile &plan, uint32_t entry, uint32_t index, const KernelEntry &kernel, const std::vector<TensorView> &operands,
                     void *out);

/// Asks every kernel whether it takes its operands, without any memory.
Status checkInstructions(const PlanFile &plan);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_CHECKS_CHECK_INSTRUCTIONS_H
