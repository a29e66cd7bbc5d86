#include "runtime/device/cuda/cuda_errors.h"

#include <cuda_runtime_api.h>

namespace zp::rt::cuda {
namespace {

int selected = 0; // device, by selectDevice

Status statusOf(cudaError_t error, const std::string &what) { return statusOfCuda(error, what); }

std::string textOfVersion(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

std::string textOfId(const cudaUUID_t &id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : id.bytes)
    text += {kDigits[static_cast<unsigned char>(byte) >> 4], kDigits[byte & 15]};
  return text;
}

/// What is expected of the machine, beside what its driver is.
std::string aboutDriver() {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    return "no driver, expected one of CUDA " + textOfVersion(CUDART_VERSION);
  return "a driver of CUDA " + textOfVersion(driver) + ", expected CUDA " + textOfVersion(CUDART_VERSION);
}

cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t nativeEvent(Event event) { return static_cast<cudaEvent_t>(event); }

} // namespace

StatusOr<Properties> selectDevice(int localRank) {
  int devices = 0;
  if (cudaError_t error = cudaGetDeviceCount(&devices); error != cudaSuccess || devices == 0)
    return Status(ErrorCode::Config, std::string("cuda: no usable GPU: ") + cudaGetErrorString(error) + "; there is " + aboutDriver() +
                                         " or newer and a device; run on a GPU node, or compile the plan with --target cpu");
  selected = localRank % devices;
  cudaDeviceProp properties{};
  ZP_RETURN_IF_ERROR(statusOfChoice(cudaGetDeviceProperties(&properties, selected), "cudaGetDeviceProperties"));
  Properties device;
  device.name = properties.name;
  device.id = textOfId(properties.uuid);
  device.multiprocessors = properties.multiProcessorCount;
  device.computeCapability = 10 * properties.major + properties.minor;
  ZP_RETURN_IF_ERROR(checkCapability(device));
  ZP_RETURN_IF_ERROR(statusOfChoice(cudaSetDevice(selected), "cudaSetDevice"));
  size_t free = 0, total = 0;
  ZP_RETURN_IF_ERROR(statusOfChoice(cudaMemGetInfo(&free, &total), "cudaMemGetInfo"));
  device.memory = total;
  device.freeMemory = free;
  return device;
}

uint64_t freeMemory() {
  size_t free = 0, total = 0;
  return cudaSetDevice(selected) == cudaSuccess && cudaMemGetInfo(&free, &total) == cudaSuccess ? free : UINT64_MAX;
}

/// Of a failure that a caller may live with: CUDA keeps it until it is asked for, and launchError() would give it out as a kernel's.
static Status statusOfAllocation(cudaError_t code, const std::string &what) {
  if (code != cudaSuccess)
    cudaGetLastError();
  return statusOf(code, what);
}
StatusOr<void *> allocateDevice(uint64_t bytes) {
  void *memory = nullptr;
  if (bytes > 0)
    ZP_RETURN_IF_ERROR(statusOfAllocation(cudaMalloc(&memory, bytes), "cudaMalloc of " + std::to_string(bytes) + " bytes"));
  return memory;
}
StatusOr<void *> allocatePinned(uint64_t bytes) {
  void *memory = nullptr;
  if (bytes > 0)
    ZP_RETURN_IF_ERROR(
        statusOfAllocation(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), "cudaHostAlloc of " + std::to_string(bytes) + " bytes"));
  return memory;
}
void freeDevice(void *memory) { cudaFree(memory); }
void freePinned(void *memory) { cudaFreeHost(memory); }

StatusOr<Stream> createStream(Priority priority) {
  int least = 0, greatest = 0;
  ZP_RETURN_IF_ERROR(statusOf(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange"));
  const int rank = priority == Priority::Urgent ? greatest : priority == Priority::Spare ? least : (least + greatest) / 2;
  cudaStream_t stream = nullptr;
  ZP_RETURN_IF_ERROR(statusOf(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, rank), "cudaStreamCreate"));
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
  if (error == cudaErrorNotReady) {
    if (cudaPeekAtLastError() == cudaErrorNotReady)
      cudaGetLastError(); // or the next launch would be blamed
    return false;
  }
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
  // Without the flag all nodes have the priority of the stream that replays them.
  Status status = statusOf(cudaGraphInstantiate(&graph, captured, cudaGraphInstantiateFlagUseNodePriority), "cudaGraphInstantiate");
  cudaGraphDestroy(captured);
  ZP_RETURN_IF_ERROR(status);
  return static_cast<Graph>(graph);
}
Status replay(Graph graph, Stream stream) {
  return statusOf(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), native(stream)), "cudaGraphLaunch");
}
void destroyGraph(Graph graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

} // namespace zp::rt::cuda
