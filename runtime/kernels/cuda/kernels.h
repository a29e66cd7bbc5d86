// The functions that kernel folders define for CUDA, declared from the op table, and the table of them.
#ifndef ZP_RUNTIME_KERNELS_CUDA_KERNELS_H
#define ZP_RUNTIME_KERNELS_CUDA_KERNELS_H

#include "runtime/base/status.h"
#include "runtime/kernels/cuda/context.h"
#include "runtime/schema/generated/op_args.h"

namespace zp::rt::cuda {

// Asks for the work in the context's stream; operands are on the device. Arguments were checked as for the other kernels.
// Errors: of matrix products alone; what else may fail comes out at the stream's next synchronize.
#define ZP_DECLARE_Device(Class) Status run(const Context &context, const Class##Args &args);
#define ZP_DECLARE_Stream(Class)
#define ZP_DECLARE_Engine(Class)
#define ZP_DECLARE_Loader(Class)
#define ZP_PLAN_OP(Class, name, opcode, executor) ZP_DECLARE_##executor(Class)
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
#undef ZP_DECLARE_Device
#undef ZP_DECLARE_Stream
#undef ZP_DECLARE_Engine
#undef ZP_DECLARE_Loader

using KernelFunction = Status (*)(const Context &context, const void *args);
/// By opcode of an op that runs on a device; null for any other.
KernelFunction findKernel(uint8_t opcode);

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_KERNELS_H
