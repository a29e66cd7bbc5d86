// cuda_api.h on a CPU: one memory, and streams that are done when somebody waits for them (streams.h).
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <unistd.h>

#include "runtime/device/cuda/cuda_api.h"
#include "runtime/device/cuda/emulated/grid.h"
#include "runtime/device/cuda/emulated/locked_memory.h"
#include "runtime/device/cuda/emulated/order.h"
#include "runtime/device/cuda/emulated/queues.h"
#include "runtime/device/cuda/emulated/streams.h"

namespace zp::rt::cuda {
namespace {

using emulated::EventState, emulated::GraphState, emulated::Queue, emulated::Queues;

constexpr size_t kAlignment = 256; // as cudaMalloc's

Queues &queues() {
  static Queues all;
  return all;
}
Status &launches() {
  static Status status;
  return status;
}

Queue *queueOf(Stream stream) { return static_cast<Queue *>(stream); }
EventState &stateOf(Event event) { return *static_cast<EventState *>(event); }

uint64_t numberIn(const char *variable, uint64_t otherwise) {
  const char *text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// The device's memory and what of it is taken.
struct Memory {
  const uint64_t whole = numberIn("ZP_EMULATED_MEMORY", uint64_t{1} << 40);
  std::atomic<uint64_t> taken = 0;
  std::map<void *, uint64_t> sizes;
};
Memory &memoryOfDevice() {
  static Memory memory;
  return memory;
}

StatusOr<void *> allocate(uint64_t bytes) {
  if (queues().capture())
    return emulated::refusedInCapture("memory is taken");
  if (bytes == 0)
    return static_cast<void *>(nullptr);
  Memory &device = memoryOfDevice();
  void *memory = bytes > device.whole - device.taken ? nullptr : std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (!memory)
    return Status(ErrorCode::DeviceMemory, "memory: " + std::to_string(bytes) + " bytes for an emulated device, expected that they can be had");
  device.taken += device.sizes[memory] = bytes;
  std::memset(memory, 0xff, bytes); // NaN, -1: what nobody wrote is seen
  return memory;
}

/// What gives something back waits for the device, as long as it gets anywhere; for ever where it is broken.
void finishAll() {
  while (!queues().fault().ok())
    ::pause();
  (void)queues().finish(nullptr, false);
}

} // namespace

namespace emulated {

bool askUntil(Stream stream, std::function<bool()> work) { return queues().put(queueOf(stream), {std::move(work), nullptr, nullptr}); }
void ask(Stream stream, std::function<void()> work) {
  askUntil(stream, [work = std::move(work)] {
    work();
    return true;
  });
}

bool isLaunchable(int64_t blocks, int threads) {
  if (blocks <= INT32_MAX && threads <= static_cast<int>(kMaxThreads))
    return true;
  launches() = Status(ErrorCode::DeviceFault, "cuda: a kernel's launch has " + std::to_string(blocks) + " blocks of " + std::to_string(threads) +
                                                  " threads, expected at most 2^31-1 of " + std::to_string(kMaxThreads) + "; this is a bug");
  return false;
}

void useOrder(const std::string &wanted) { order().use(wanted); }

} // namespace emulated

StatusOr<Properties> selectDevice(int localRank) {
  Properties device;
  device.name = "emulated";
  device.id = "emulated-" + std::to_string(static_cast<uint64_t>(localRank) % numberIn("ZP_EMULATED_DEVICES", UINT64_MAX));
  device.memory = memoryOfDevice().whole;
  device.freeMemory = freeMemory();
  device.multiprocessors = 2;
  return device;
}
uint64_t freeMemory() { return memoryOfDevice().whole - memoryOfDevice().taken; }
StatusOr<void *> allocateDevice(uint64_t bytes) { return allocate(bytes); }
StatusOr<void *> allocatePinned(uint64_t bytes) {
  if (queues().capture())
    return emulated::refusedInCapture("memory is taken");
  return emulated::allocateLocked(bytes);
}
void freeDevice(void *memory) {
  finishAll();
  if (const auto place = memoryOfDevice().sizes.find(memory); place != memoryOfDevice().sizes.end()) {
    memoryOfDevice().taken -= place->second;
    memoryOfDevice().sizes.erase(place);
  }
  std::free(memory);
}
void freePinned(void *memory) {
  finishAll();
  emulated::freeLocked(memory);
}

StatusOr<Stream> createStream(Priority) {
  auto *queue = new Queue;
  queues().add(queue);
  return static_cast<Stream>(queue);
}
void destroyStream(Stream stream) {
  finishAll();
  queues().remove(queueOf(stream));
  delete queueOf(stream);
}
StatusOr<Event> createEvent(bool) { return static_cast<Event>(new EventState); }
void destroyEvent(Event event) { delete static_cast<EventState *>(event); }

Status copyAsync(void *target, const void *source, uint64_t bytes, Stream stream) {
  ZP_RETURN_IF_ERROR(queues().fault());
  if (bytes > 0)
    emulated::ask(stream, [=] { std::memmove(target, source, bytes); });
  return {};
}
Status record(Event event, Stream stream) {
  queues().record(stateOf(event), queueOf(stream));
  return {};
}
Status wait(Event event, Stream stream) { return queues().wait(stateOf(event), queueOf(stream)); }
StatusOr<double> secondsBetween(Event first, Event second) {
  const auto &from = stateOf(first).last, &to = stateOf(second).last;
  if (!from || !to || !from->reached || !to->reached)
    return Status(ErrorCode::Internal, "cuda: times of events that have not been reached, expected a wait before; this is a bug");
  return std::chrono::duration<double>(to->at - from->at).count();
}
Status synchronize(Stream stream) {
  if (queueOf(stream)->capturing)
    return emulated::refusedInCapture("the host waits for a stream");
  return queues().finish(queueOf(stream), true).status();
}
StatusOr<bool> isDone(Stream stream) {
  if (queueOf(stream)->capturing)
    return emulated::refusedInCapture("the host asks how far a stream is");
  return queues().finish(queueOf(stream), false);
}
Status launchError() {
  Status status = launches();
  launches() = {};
  return status;
}

bool hasGraphs() { return true; }
Status beginCapture(Stream stream) { return queues().beginCapture(queueOf(stream)); }
StatusOr<Graph> endCapture(Stream stream) {
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<GraphState> graph, queues().endCapture(queueOf(stream)));
  return static_cast<Graph>(graph.release());
}
Status replay(Graph graph, Stream stream) {
  queues().replay(*static_cast<GraphState *>(graph), queueOf(stream));
  return {};
}
void destroyGraph(Graph graph) {
  finishAll();
  auto *state = static_cast<GraphState *>(graph);
  for (auto &queue : state->queues)
    queues().remove(queue.get());
  delete state;
}

} // namespace zp::rt::cuda
