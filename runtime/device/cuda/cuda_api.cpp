#include "runtime/device/cuda/cuda_api.h"

#include <cuda_runtime_api.h>

namespace zp::rt::cuda {
namespace {

Status statusOf(cudaError_t error, const char *what) {
  if (error == cudaSuccess)
    return {};
  const ErrorCode code = error == cudaErrorMemoryAllocation ? ErrorCode::HostMemory : ErrorCode::Config;
  return Status(code, std::string("cuda: ") + what + ": " + cudaGetErrorName(error) + " (" + cudaGetErrorString(error) +
                                       "), expected success; see nvidia-smi");
}

cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t nativeEvent(Event event) { return static_cast<cudaEvent_t>(event); }

} // namespace

StatusOr<Properties> selectDevice(int localRank) {
  int devices = 0;
  if (cudaError_t error = cudaGetDeviceCount(&devices); error != cudaSuccess || devices == 0)
    return Status(ErrorCode::Config, std::string("cuda: no usable GPU: ") + cudaGetErrorString(error) +
                                         ", expected a driver of CUDA 13 and a device; run on a GPU node, or compile the plan with --target cpu");
  const int device = localRank % devices;
  ZP_RETURN_IF_ERROR(statusOf(cudaSetDevice(device), "cudaSetDevice"));
  cudaDeviceProp properties{};
  ZP_RETURN_IF_ERROR(statusOf(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties"));
  size_t free = 0, total = 0;
  ZP_RETURN_IF_ERROR(statusOf(cudaMemGetInfo(&free, &total), "cudaMemGetInfo"));
  return Properties{properties.name, total, free, properties.multiProcessorCount, 10 * properties.major + properties.minor};
}

StatusOr<void *> allocateDevice(uint64_t bytes) {
  void *memory = nullptr;
  if (bytes > 0)
    ZP_RETURN_IF_ERROR(statusOf(cudaMalloc(&memory, bytes), ("cudaMalloc of " + std::to_string(bytes) + " bytes").c_str()));
  return memory;
}
StatusOr<void *> allocatePinned(uint64_t bytes) {
  void *memory = nullptr;
  if (bytes > 0)
    ZP_RETURN_IF_ERROR(statusOf(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault),
                                ("cudaHostAlloc of " + std::to_string(bytes) + " bytes").c_str()));
  return memory;
}
void freeDevice(void *memory) { cudaFree(memory); }
void freePinned(void *memory) { cudaFreeHost(memory); }

StatusOr<Stream> createStream(bool urgent) {
  int least = 0, greatest = 0;
  ZP_RETURN_IF_ERROR(statusOf(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange"));
  cudaStream_t stream = nullptr;
  ZP_RETURN_IF_ERROR(statusOf(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, urgent ? greatest : least), "cudaStreamCreate"));
  return static_cast<Stream>(stream);
}
StatusOr<Event> createEvent(bool timed) {
  cudaEvent_t event = nullptr;
  ZP_RETURN_IF_ERROR(statusOf(cudaEventCreateWithFlags(&event, timed ? cudaEventDefault : cudaEventDisableTiming), "cudaEventCreate"));
  return static_cast<Event>(event);
}
void destroyStream(Stream stream) { cudaStreamDestroy(native(stream)); }
void destroyEvent(Event event) { cudaEventDestroy(nativeEvent(event)); }

Status copyAsync(void *target, const void *source, uint64_t bytes, Stream stream) {
  return statusOf(cudaMemcpyAsync(target, source, bytes, cudaMemcpyDefault, native(stream)), "cudaMemcpyAsync");
}
Status record(Event event, Stream stream) { return statusOf(cudaEventRecord(nativeEvent(event), native(stream)), "cudaEventRecord"); }
Status wait(Event event, Stream stream) { return statusOf(cudaStreamWaitEvent(native(stream), nativeEvent(event), 0), "cudaStreamWaitEvent"); }
StatusOr<double> secondsBetween(Event first, Event second) {
  float milliseconds = 0;
  ZP_RETURN_IF_ERROR(statusOf(cudaEventElapsedTime(&milliseconds, nativeEvent(first), nativeEvent(second)), "cudaEventElapsedTime"));
  return milliseconds * 1e-3;
}
Status synchronize(Stream stream) { return statusOf(cudaStreamSynchronize(native(stream)), "cudaStreamSynchronize"); }
StatusOr<bool> isDone(Stream stream) {
  const cudaError_t error = cudaStreamQuery(native(stream));
  if (error == cudaErrorNotReady)
    return false;
  ZP_RETURN_IF_ERROR(statusOf(error, "cudaStreamQuery"));
  return true;
}
Status launchError() { return statusOf(cudaGetLastError(), "a kernel's launch"); }

bool hasGraphs() { return true; }
Status beginCapture(Stream stream) {
  return statusOf(cudaStreamBeginCapture(native(stream), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
}
StatusOr<Graph> endCapture(Stream stream) {
  cudaGraph_t captured = nullptr;
  ZP_RETURN_IF_ERROR(statusOf(cudaStreamEndCapture(native(stream), &captured), "cudaStreamEndCapture"));
  cudaGraphExec_t graph = nullptr;
  Status status = statusOf(cudaGraphInstantiate(&graph, captured, 0), "cudaGraphInstantiate");
  cudaGraphDestroy(captured);
  ZP_RETURN_IF_ERROR(status);
  return static_cast<Graph>(graph);
}
Status replay(Graph graph, Stream stream) { return statusOf(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), native(stream)), "cudaGraphLaunch"); }
void destroyGraph(Graph graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

} // namespace zp::rt::cuda
