// cuda_api.h on a CPU: one memory, and nothing is ever under way. So streams, events and graphs are not tried by it.
#include <cstdlib>
#include <cstring>

#include "runtime/device/cuda/cuda_api.h"
#include "runtime/device/cuda/emulated/locked_memory.h"

namespace zp::rt::cuda {

static constexpr size_t kAlignment = 256; // as cudaMalloc's

static StatusOr<void *> allocate(uint64_t bytes) {
  if (bytes == 0)
    return static_cast<void *>(nullptr);
  void *memory = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (!memory)
    return Status(ErrorCode::HostMemory, "memory: " + std::to_string(bytes) + " bytes for an emulated device, expected that they can be had");
  std::memset(memory, 0xff, bytes); // NaN, -1: what nobody wrote is seen
  return memory;
}

StatusOr<Properties> selectDevice(int) { return Properties{"emulated", uint64_t{1} << 40, uint64_t{1} << 40, 2}; }
StatusOr<void *> allocateDevice(uint64_t bytes) { return allocate(bytes); }
StatusOr<void *> allocatePinned(uint64_t bytes) { return emulated::allocateLocked(bytes); }
void freeDevice(void *memory) { std::free(memory); }
void freePinned(void *memory) { emulated::freeLocked(memory); }
StatusOr<Stream> createStream() { return static_cast<Stream>(nullptr); }
StatusOr<Event> createEvent() { return static_cast<Event>(nullptr); }
void destroyStream(Stream) {}
void destroyEvent(Event) {}
Status copyAsync(void *target, const void *source, uint64_t bytes, Stream) {
  if (bytes > 0)
    std::memmove(target, source, bytes);
  return {};
}
Status record(Event, Stream) { return {}; }
Status wait(Event, Stream) { return {}; }
Status synchronize(Stream) { return {}; }
Status launchError() { return {}; }
bool hasGraphs() { return false; }
Status beginCapture(Stream) { return Status(ErrorCode::Internal, "cuda: an emulated device captures no graphs, expected that hasGraphs was asked"); }
StatusOr<Graph> endCapture(Stream stream) { return beginCapture(stream); }
Status replay(Graph, Stream stream) { return beginCapture(stream); }
void destroyGraph(Graph) {}

} // namespace zp::rt::cuda
