// What cuBLAS says of a failure, as a code.
#ifndef ZP_RUNTIME_KERNELS_CUDA_CUBLAS_ERRORS_H
#define ZP_RUNTIME_KERNELS_CUDA_CUBLAS_ERRORS_H

#include <string>

#include <cublas_api.h>

#include "runtime/base/status.h"

namespace zp::rt::cuda {

/// DeviceMemory where the device's memory is what lacks (a handle can't be made, a buffer not be had), Config where this GPU or library isn't
/// one that the product is made for, else DeviceFault.
inline Status statusOfCublas(cublasStatus_t status, const char *what) {
  if (status == CUBLAS_STATUS_SUCCESS)
    return {};
  const std::string said = std::string("cuda: ") + what + ": cuBLAS status " + std::to_string(status);
  switch (status) {
  case CUBLAS_STATUS_NOT_INITIALIZED:
  case CUBLAS_STATUS_ALLOC_FAILED:
    return Status(ErrorCode::DeviceMemory,
                  said + " (no memory of the device was to be had), expected success; end what else uses the GPU, see nvidia-smi, "
                         "or compile with --memory_budget");
  case CUBLAS_STATUS_ARCH_MISMATCH:
  case CUBLAS_STATUS_NOT_SUPPORTED:
    return Status(ErrorCode::Config, said + " (not for this GPU), expected success; use a newer cuBLAS");
  case CUBLAS_STATUS_EXECUTION_FAILED:
  case CUBLAS_STATUS_INTERNAL_ERROR:
  case CUBLAS_STATUS_MAPPING_ERROR:
    return Status(ErrorCode::DeviceFault, said + " (the GPU did not carry it out), expected success; the kernel's log (Xid) says more");
  default:
    return Status(ErrorCode::DeviceFault, said + ", expected success; this is a bug of ZeroPlan");
  }
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_CUBLAS_ERRORS_H
