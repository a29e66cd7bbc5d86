// The table of kernels, built from the op table: an op without a kernel is a link error, never a surprise at run time.
#ifndef ZP_RUNTIME_KERNELS_REGISTRY_H
#define ZP_RUNTIME_KERNELS_REGISTRY_H

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/kernels/kernel.h"

namespace zp::rt {

/// Everything the executor needs of one op, over type-erased arguments (a struct of op_args.h, `argsSize` bytes).
struct KernelEntry {
  const char *name;
  uint8_t opcode;
  size_t operandCount;
  size_t argsSize, argsAlignment;
  /// Constructs the arguments in `out` from the op's attribute table of the plan (fbs::XAttrs) and its operands, which
  /// must be `operandCount` many. Spans in the arguments point into the plan: it must outlive them.
  void (*decode)(const void *attrs, std::span<const TensorView> operands, void *out);
  Status (*check)(const void *args);
  void (*reference)(const KernelContext &, const void *args);
  void (*cpu)(const KernelContext &, const void *args);
};

/// The entry of an op that runs on a device; null for any other opcode.
const KernelEntry *findKernel(uint8_t opcode);

/// All entries, in the table's order: what tests and benches walk.
std::span<const KernelEntry> allKernels();

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_REGISTRY_H
