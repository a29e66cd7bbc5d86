// Instructions of the loader on a plan for a GPU: the loader works in host memory.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_HOST_LOADER_H
#define ZP_RUNTIME_EXECUTOR_CUDA_HOST_LOADER_H

#include "runtime/collective/device/device_collectives.h"
#include "runtime/executor/executor.h"
#include "runtime/executor/resolve.h"

namespace zp::rt {

/// Operands of a load_section, load_quantized or nest_scales come to the host, go through the options' loader, and go back; all is done on
/// return.
Status loadThroughHost(const ResolvedInstruction &instruction, const ExecutorOptions &options, cuda::Stream stream, DeviceCollectives &collectives);

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_HOST_LOADER_H
