#include "runtime/kernels/registry.h"

#include <array>
#include <new>

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/op_info.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {
namespace {
#include "runtime/schema/generated/op_decode.inc"

template <typename Args, typename Attrs> constexpr KernelEntry entryOf() {
  return {OpInfo<Args>::name,
          OpInfo<Args>::opcode,
          OpInfo<Args>::operandCount,
          sizeof(Args),
          alignof(Args),
          [](const void *attrs, std::span<const TensorView> operands, void *out) {
            new (out) Args(decode(*static_cast<const Attrs *>(attrs), operands));
          },
          [](const void *args) { return check(*static_cast<const Args *>(args)); },
          [](const KernelContext &context, const void *args) { reference::run(context, *static_cast<const Args *>(args)); },
          [](const KernelContext &context, const void *args) { cpu::run(context, *static_cast<const Args *>(args)); }};
}

#define ZP_ENTRY_Device(Class) entryOf<Class##Args, fbs::Class##Attrs>(),
#define ZP_ENTRY_Stream(Class)
#define ZP_ENTRY_Engine(Class)
#define ZP_ENTRY_Loader(Class)
constexpr KernelEntry kEntries[] = {
#define ZP_PLAN_OP(Class, name, opcode, executor) ZP_ENTRY_##executor(Class)
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
};

constexpr std::array<const KernelEntry *, 256> byOpcode() {
  std::array<const KernelEntry *, 256> table{};
  for (const KernelEntry &entry : kEntries)
    table[entry.opcode] = &entry;
  return table;
}
constexpr auto kByOpcode = byOpcode();
} // namespace

const KernelEntry *findKernel(uint8_t opcode) { return kByOpcode[opcode]; }
std::span<const KernelEntry> allKernels() { return kEntries; }

} // namespace zp::rt
