#include "runtime/device/cuda/cuda_errors.h"

#include <cuda_runtime_api.h>

namespace zp::rt::cuda {
namespace {

constexpr int kOldestCapability = 80; // of CMAKE_CUDA_ARCHITECTURES

std::string textOf(cudaError_t error, const std::string &what) {
  return "cuda: " + what + ": " + cudaGetErrorName(error) + " (" + cudaGetErrorString(error) + "), expected success; ";
}

/// What to do about it.
const char *wayOut(cudaError_t error) {
  switch (error) {
  case cudaErrorMemoryAllocation:
    return "end what else uses the GPU, see nvidia-smi, or compile with --memory_budget";
  case cudaErrorECCUncorrectable:
  case cudaErrorNvlinkUncorrectable:
  case cudaErrorHardwareStackError:
  case cudaErrorContained:
    return "the GPU or its link has failed: take the node out of use, the kernel's log (Xid) says more";
  case cudaErrorInvalidValue:
  case cudaErrorInvalidConfiguration:
  case cudaErrorInvalidDeviceFunction:
  case cudaErrorNoKernelImageForDevice:
  case cudaErrorIllegalAddress:
  case cudaErrorLaunchOutOfResources:
  case cudaErrorLaunchTimeout:
  case cudaErrorAssert:
  case cudaErrorIllegalInstruction:
  case cudaErrorMisalignedAddress:
  case cudaErrorInvalidAddressSpace:
  case cudaErrorInvalidPc:
  case cudaErrorLaunchFailure:
    return "this is a bug of ZeroPlan: compute-sanitizer, or a run with CUDA_LAUNCH_BLOCKING=1, says where";
  default:
    return "see nvidia-smi and the kernel's log";
  }
}

Status toStatus(cudaError_t error, const std::string &what, ErrorCode otherwise) {
  if (error == cudaSuccess)
    return {};
  return Status(error == cudaErrorMemoryAllocation ? ErrorCode::DeviceMemory : otherwise, textOf(error, what) + wayOut(error));
}

} // namespace

Status statusOfCuda(int error, const std::string &what) { return toStatus(static_cast<cudaError_t>(error), what, ErrorCode::DeviceFault); }
Status statusOfChoice(int error, const std::string &what) { return toStatus(static_cast<cudaError_t>(error), what, ErrorCode::Config); }

Status checkCapability(const Properties &device) {
  if (device.computeCapability >= kOldestCapability)
    return {};
  auto text = [](int capability) { return std::to_string(capability / 10) + "." + std::to_string(capability % 10); };
  return Status(ErrorCode::Config, "cuda: " + device.name + ": its compute capability is " + text(device.computeCapability) + ", expected " +
                                       text(kOldestCapability) +
                                       " or newer (A100, H100, ...); run on such a GPU, or compile the plan with --target cpu");
}

} // namespace zp::rt::cuda
