// One device as the executor sees it: it carries out lists of steps, one list a stream, ordered among each other by events.
//
// Contract. `execute` runs every step of every list in the list's order, a WaitEvent only after the RecordEvent of the same
// number has been reached, and returns when all lists have ended. It allocates nothing. The first failing step ends the
// execution: the streams stop at their next step, and its error is returned. One thread at a time calls `execute`.
#ifndef ZP_RUNTIME_DEVICE_DEVICE_H
#define ZP_RUNTIME_DEVICE_DEVICE_H

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/base/parallel_for.h"
#include "runtime/base/status.h"

namespace zp::rt {

struct Step {
  enum class Kind : uint8_t { Launch, RecordEvent, WaitEvent };
  Kind kind = Kind::Launch;
  uint8_t opcode = 0;
  uint32_t event = 0; ///< of RecordEvent and WaitEvent
  uint32_t index = 0; ///< in the entry's instruction list: what a launcher knows it by
};

/// The steps of one entry by stream.
struct StepLists {
  std::vector<std::vector<Step>> streams;
  uint32_t events = 0;
};

/// Carries out one Launch step on the calling stream; `parallel` is what the stream may spread work over.
class Launcher {
public:
  virtual ~Launcher() = default;
  virtual Status launch(const Step &step, ParallelFor &parallel) = 0;
};

class Device {
public:
  virtual ~Device() = default;
  virtual const char *name() const = 0;
  /// Made ready once for lists with so many streams and events.
  virtual Status execute(const StepLists &lists, Launcher &launcher) = 0;
  /// What stream 0 spreads work over.
  virtual ParallelFor &parallel() = 0;
};

/// Compute threads for stream 0 (at least 1, the calling thread among them) and one thread for each further stream.
std::unique_ptr<Device> createCpuDevice(int threads, uint32_t streams, uint32_t events);

/// Which of the streams that may go on takes the next step.
enum class StreamOrder : uint8_t {
  Listed,       ///< the one whose step stands first in the list: one stream never gets ahead of another
  LowestFirst,  ///< stream 0 as far as events let it, the transfers as late as can be
  HighestFirst, ///< the transfers as early as can be
  Drawn,        ///< any, by a generator seeded with `seed`
};
/// One thread that carries out all streams, a step at a time, in an order of choice: what events don't order is tried out.
/// `threads` are what every launch may spread work over. A wait that no record can end is an error (Internal), not a hang.
std::unique_ptr<Device> createOrderedDevice(StreamOrder order, uint64_t seed, int threads, uint32_t streams, uint32_t events);

} // namespace zp::rt

#endif // ZP_RUNTIME_DEVICE_DEVICE_H
