// What NVIDIA's error codes come out as: whoever starts jobs goes by the exit code.
#include "runtime/device/cuda/cuda_errors.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "runtime/kernels/cuda/cublas_errors.h"

namespace zp::rt::cuda {
namespace {

bool says(const Status &status, const char *words) { return status.message().find(words) != std::string::npos; }

TEST(CudaErrors, MemoryThatLacksDoesNotFit) {
  EXPECT_EQ(exitCodeOf(statusOfCuda(cudaErrorMemoryAllocation, "cudaMalloc").code()), 3);
  EXPECT_EQ(exitCodeOf(statusOfChoice(cudaErrorMemoryAllocation, "cudaSetDevice").code()), 3);
}

TEST(CudaErrors, AKernelThatFailsIsABug) {
  for (const cudaError_t error : {cudaErrorIllegalAddress, cudaErrorLaunchFailure, cudaErrorMisalignedAddress, cudaErrorInvalidConfiguration}) {
    const Status status = statusOfCuda(error, "cudaStreamQuery");
    EXPECT_EQ(status.code(), ErrorCode::DeviceFault);
    EXPECT_TRUE(says(status, cudaGetErrorName(error)) && says(status, "this is a bug of ZeroPlan")) << status.message();
  }
}

TEST(CudaErrors, HardwareThatFailsIsNot) {
  for (const cudaError_t error : {cudaErrorECCUncorrectable, cudaErrorNvlinkUncorrectable}) {
    const Status status = statusOfCuda(error, "cudaStreamQuery");
    EXPECT_EQ(status.code(), ErrorCode::DeviceFault);
    EXPECT_TRUE(says(status, "take the node out of use") && !says(status, "bug")) << status.message();
  }
}

TEST(CudaErrors, OnlyTheChoiceOfADeviceIsAMatterOfSettings) {
  EXPECT_EQ(statusOfChoice(cudaErrorDevicesUnavailable, "cudaSetDevice").code(), ErrorCode::Config);
  EXPECT_EQ(statusOfCuda(cudaErrorUnknown, "cudaEventRecord").code(), ErrorCode::DeviceFault);
  EXPECT_TRUE(statusOfCuda(cudaSuccess, "cudaEventRecord").ok());
}

TEST(CudaErrors, ADeviceThatIsTooOldIsRefused) {
  Properties device;
  device.name = "Tesla T4";
  device.computeCapability = 75;
  const Status status = checkCapability(device);
  EXPECT_EQ(status.code(), ErrorCode::Config);
  EXPECT_TRUE(says(status, "Tesla T4: its compute capability is 7.5, expected 8.0")) << status.message();
  for (const int capability : {80, 86, 90, 100, 120}) {
    device.computeCapability = capability;
    EXPECT_TRUE(checkCapability(device).ok()) << capability;
  }
}

TEST(CublasErrors, ByWhatTheyMean) {
  EXPECT_TRUE(statusOfCublas(CUBLAS_STATUS_SUCCESS, "x").ok());
  EXPECT_EQ(statusOfCublas(CUBLAS_STATUS_ALLOC_FAILED, "x").code(), ErrorCode::DeviceMemory);
  EXPECT_EQ(statusOfCublas(CUBLAS_STATUS_NOT_INITIALIZED, "cublasLtCreate").code(), ErrorCode::DeviceMemory);
  EXPECT_EQ(statusOfCublas(CUBLAS_STATUS_EXECUTION_FAILED, "x").code(), ErrorCode::DeviceFault);
  EXPECT_EQ(statusOfCublas(CUBLAS_STATUS_INTERNAL_ERROR, "x").code(), ErrorCode::DeviceFault);
  EXPECT_EQ(statusOfCublas(CUBLAS_STATUS_NOT_SUPPORTED, "x").code(), ErrorCode::Config);
}

} // namespace
} // namespace zp::rt::cuda
