#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {

KernelFunction findKernel(uint8_t code) {
  switch (code) {
#define ZP_CASE_Device(Class, opcode)                                                                                                                \
  case opcode:                                                                                                                                       \
    return [](const Context &context, const void *args) { return run(context, *static_cast<const Class##Args *>(args)); };
#define ZP_CASE_Stream(Class, opcode)
#define ZP_CASE_Engine(Class, opcode)
#define ZP_CASE_Loader(Class, opcode)
#define ZP_PLAN_OP(Class, name, opcode, executor) ZP_CASE_##executor(Class, opcode)
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
  default:
    return nullptr;
  }
}

} // namespace zp::rt::cuda
