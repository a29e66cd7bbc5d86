// The functions that kernel folders define, declared from the op table: check(XArgs), reference::run, cpu::run.
#ifndef ZP_RUNTIME_KERNELS_KERNELS_H
#define ZP_RUNTIME_KERNELS_KERNELS_H

#include "runtime/kernels/kernel.h"

#define ZP_DECLARE_Device(Class)                                                                                                                     \
  Status check(const Class##Args &args);                                                                                                             \
  namespace reference {                                                                                                                              \
  void run(const KernelContext &context, const Class##Args &args);                                                                                   \
  }                                                                                                                                                  \
  namespace cpu {                                                                                                                                    \
  void run(const KernelContext &context, const Class##Args &args);                                                                                   \
  }
#define ZP_DECLARE_Stream(Class)
#define ZP_DECLARE_Engine(Class)
#define ZP_DECLARE_Loader(Class)

namespace zp::rt {
#define ZP_PLAN_OP(Class, name, opcode, executor) ZP_DECLARE_##executor(Class)
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
} // namespace zp::rt

#undef ZP_DECLARE_Device
#undef ZP_DECLARE_Stream
#undef ZP_DECLARE_Engine
#undef ZP_DECLARE_Loader

#endif // ZP_RUNTIME_KERNELS_KERNELS_H
