// cuDNN's graphs of attention, for the device that was selected or for one that isn't here.
#ifndef ZP_RUNTIME_KERNELS_CUDA_FUSED_GRAPHS_CUDNN_H
#define ZP_RUNTIME_KERNELS_CUDA_FUSED_GRAPHS_CUDNN_H

#include "runtime/kernels/cuda/fused_graphs.h"

namespace zp::rt::cuda {

struct CudnnDevice {
  int computeCapability = 0; ///< 10·major + minor
  std::string properties;    ///< in JSON, as cuDNN has them: graphs are built for such a device, never run. Empty: the selected one
};

/// Errors: Config, when there is no cuDNN, or one that this hasn't been tried with.
StatusOr<std::unique_ptr<FusedGraphs>> createCudnnGraphs(const CudnnDevice &device);

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_FUSED_GRAPHS_CUDNN_H
