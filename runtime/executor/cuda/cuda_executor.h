// The executor of plans that are compiled for CUDA.
//
// Arenas are the plan's spaces: one allocation on the device, one of page-locked host memory, the disk's file. An entry's inputs and
// outputs have a mirror in page-locked memory, which is what `view` gives: `run` carries the inputs over before, the outputs back
// after. The first run of an entry asks for its instructions one by one in the plan's order; later ones replay a graph of them,
// where nothing in the entry needs the host (the disk, the loader, staged collectives).
//
// Which library of cuda_api.h it is linked with decides whether that is a GPU or an emulated one.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_CUDA_EXECUTOR_H
#define ZP_RUNTIME_EXECUTOR_CUDA_CUDA_EXECUTOR_H

#include "runtime/executor/executor.h"

namespace zp::rt {

/// As Executor::create. Errors besides: Config when there is no GPU, or a library or an option that a GPU has not.
StatusOr<std::unique_ptr<Executor>> createCudaExecutor(const PlanFile &plan, Communicator &communicator, ExecutorOptions options);

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_CUDA_EXECUTOR_H
