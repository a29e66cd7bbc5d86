// What the CUDA runtime says of a failure, as a code and with a way out. Apart from cuda_api.cpp, so that it can be asked without a GPU.
#ifndef ZP_RUNTIME_DEVICE_CUDA_CUDA_ERRORS_H
#define ZP_RUNTIME_DEVICE_CUDA_CUDA_ERRORS_H

#include "runtime/device/cuda/cuda_api.h"

namespace zp::rt::cuda {

/// Of a device in use. DeviceMemory where its memory is what lacks, else DeviceFault: what a user has set is refused before.
/// `error`: a cudaError_t.
Status statusOfCuda(int error, const std::string &what);
/// Of a device that is being chosen: Config where statusOfCuda has DeviceFault.
Status statusOfChoice(int error, const std::string &what);
/// Whether our kernels run on it. Errors: Config.
Status checkCapability(const Properties &device);

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_DEVICE_CUDA_CUDA_ERRORS_H
