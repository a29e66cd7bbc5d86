// What the op table says of an op's name and operands, by its argument struct.
#ifndef ZP_RUNTIME_KERNELS_OP_INFO_H
#define ZP_RUNTIME_KERNELS_OP_INFO_H

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include "runtime/schema/generated/op_args.h"

namespace zp::rt {

struct OperandInfo {
  const char *name;
  bool optional, reads, writes;
};

/// OpInfo<XArgs>: `name` and `operands`, in the table's order.
template <typename Args> struct OpInfo;

namespace detail {
struct OperandRow {
  int opcode;
  OperandInfo info;
};
#define ZP_PLAN_OP(Class, name, opcode, executor) inline constexpr int k##Class##Opcode = opcode;
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
inline constexpr OperandRow kOperandRows[] = {
#define ZP_OPERAND(Class, index, name, optional, reads, writes) {k##Class##Opcode, {#name, optional != 0, reads != 0, writes != 0}},
#define ZP_OPERANDS(Class, count)
#include "runtime/schema/generated/op_signatures.inc"
#undef ZP_OPERANDS
#undef ZP_OPERAND
};
constexpr size_t operandCount(int opcode) {
  size_t count = 0;
  for (const OperandRow &row : kOperandRows)
    count += row.opcode == opcode;
  return count;
}
} // namespace detail

#define ZP_PLAN_OP(Class, opName, code, executor)                                                                                                    \
  template <> struct OpInfo<Class##Args> {                                                                                                           \
    static constexpr const char *name = #opName;                                                                                                     \
    static constexpr int opcode = code;                                                                                                              \
    static constexpr size_t operandCount = detail::operandCount(code);                                                                               \
  };
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP

template <typename Args> constexpr auto operandInfos() {
  std::array<OperandInfo, OpInfo<Args>::operandCount> infos{};
  size_t next = 0;
  for (const detail::OperandRow &row : detail::kOperandRows)
    if (row.opcode == OpInfo<Args>::opcode)
      infos[next++] = row.info;
  return infos;
}
template <typename Args> inline constexpr auto kOperandInfos = operandInfos<Args>();

/// The operands of an argument struct: the generator lays them first and in the table's order.
template <typename Args> std::span<const TensorView> operandsOf(const Args &args) {
  static_assert(std::is_standard_layout_v<Args> && sizeof(Args) >= OpInfo<Args>::operandCount * sizeof(TensorView));
  return {reinterpret_cast<const TensorView *>(&args), OpInfo<Args>::operandCount};
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_OP_INFO_H
