// What we ask of a CUDA driver, without its headers: memory, streams, events, graphs. Two libraries define it: zp_cuda_native by the CUDA
// runtime, zp_cuda_emulated by this CPU (emulated/), where work waits in its stream until somebody waits for it.
//
// Errors carry the driver's words: DeviceMemory where memory is what lacks; Config while a device is chosen; DeviceFault once it is used
// (cuda_errors.h). Handles are the driver's own.
#ifndef ZP_RUNTIME_DEVICE_CUDA_CUDA_API_H
#define ZP_RUNTIME_DEVICE_CUDA_CUDA_API_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace zp::rt::cuda {

using Stream = void *;
using Event = void *;
using Graph = void *;

struct Properties {
  std::string name;
  std::string id;                      ///< tells it from every other device of every host
  uint64_t memory = 0, freeMemory = 0; ///< bytes
  int multiprocessors = 1;
  int computeCapability = 0; ///< 10·major + minor: 90 is Hopper; 0 when emulated
};

/// Makes device `localRank` (a rank's place among those of its host) modulo their number the calling process's. Errors: no driver, no device,
/// one that is too old.
StatusOr<Properties> selectDevice(int localRank);
/// Bytes of the selected device that nobody has; UINT64_MAX when it doesn't say. Any thread may ask.
uint64_t freeMemory();

StatusOr<void *> allocateDevice(uint64_t bytes);
/// Page-locked, exactly as large as asked for.
StatusOr<void *> allocatePinned(uint64_t bytes);
void freeDevice(void *memory);
void freePinned(void *memory);

/// Whose work is placed first where there is a choice: Spare fills what others leave idle.
enum class Priority { Spare, Normal, Urgent };
StatusOr<Stream> createStream(Priority priority = Priority::Normal);
/// `timed`: for `secondsBetween`.
StatusOr<Event> createEvent(bool timed = false);
void destroyStream(Stream stream);
void destroyEvent(Event event);

/// Bytes between any two memories, in the stream's order.
Status copyAsync(void *target, const void *source, uint64_t bytes, Stream stream);
Status record(Event event, Stream stream);
Status wait(Event event, Stream stream);
/// From the first event's last record to the second's, of any streams; both are timed and have been reached.
StatusOr<double> secondsBetween(Event first, Event second);
Status synchronize(Stream stream);
/// Whether all that the stream was asked for is done. Never waits. Errors: what that work has left behind.
StatusOr<bool> isDone(Stream stream);
/// What the launches since the last call have left behind.
Status launchError();

/// Work asked of `stream`, and of what waits for it, between the two is kept instead of done. False where there are no graphs.
bool hasGraphs();
Status beginCapture(Stream stream);
StatusOr<Graph> endCapture(Stream stream);
Status replay(Graph graph, Stream stream);
void destroyGraph(Graph graph);

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_DEVICE_CUDA_CUDA_API_H
