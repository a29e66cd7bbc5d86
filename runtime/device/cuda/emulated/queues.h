// What an emulated device has been asked for and has not done yet, by stream (streams.h says what to expect of it).
#ifndef ZP_RUNTIME_DEVICE_CUDA_EMULATED_QUEUES_H
#define ZP_RUNTIME_DEVICE_CUDA_EMULATED_QUEUES_H

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt::cuda::emulated {

/// A place in a stream that others can wait for: a record of an event makes a new one.
struct Mark {
  bool reached = false;
  std::chrono::steady_clock::time_point at; ///< when it was
};

/// Work, a mark to set, or a mark to wait for.
struct Task {
  std::function<bool()> work;
  std::shared_ptr<Mark> sets, awaits;
};

struct Queue;
/// How many tasks of each capturing stream come before a place: what tells whether all of them were joined.
using Known = std::map<Queue *, size_t>;

struct Queue {
  std::deque<Task> tasks;
  bool capturing = false;
  Known known; ///< while it captures
};

struct EventState {
  std::shared_ptr<Mark> last; ///< null: never recorded, and a wait for it is none
  uint64_t capture = 0;       ///< in which it was recorded; 0: in none
  Known known;
};

struct GraphState {
  std::vector<std::unique_ptr<Queue>> queues; ///< one for each stream that took part
  std::vector<std::pair<Queue *, Task>> tasks;
};

class Queues {
public:
  Queues();

  void add(Queue *queue) { queues.push_back(queue); }
  void remove(Queue *queue);
  /// True when the capture that is under way takes the task. Where the stream is full (ZP_EMULATED_QUEUE), this waits until it isn't.
  bool put(Queue *queue, Task task);
  void record(EventState &event, Queue *queue);
  Status wait(const EventState &event, Queue *queue);
  /// Goes on until `queue`, or where it is null every queue, is empty. False when that takes work that isn't done yet, and `patient` isn't set.
  StatusOr<bool> finish(const Queue *queue, bool patient);
  /// What a device that is broken (ZP_EMULATED_FAULT) answers.
  const Status &fault() const { return broken; }

  /// The number of the capture that is under way; 0: none is.
  uint64_t capture() const { return origin ? captures : 0; }
  Status beginCapture(Queue *queue);
  StatusOr<std::unique_ptr<GraphState>> endCapture(Queue *queue);
  void replay(GraphState &graph, Queue *queue);

private:
  StatusOr<bool> goOn(const std::function<bool()> &over, bool patient);
  bool hasTasks() const;
  Queue *choose(const std::vector<Queue *> &stuck);

  std::vector<Queue *> queues; // by age
  uint64_t room = 0;           // tasks of a stream; 0: as many as come
  uint64_t untilFault = 0;     // tasks; 0: none will be
  Status broken;
  Queue *origin = nullptr; // of the capture that is under way
  uint64_t captures = 0;
  std::vector<std::pair<Queue *, Task>> captured;
};

/// What a GPU doesn't do while a graph is captured.
Status refusedInCapture(const char *what);

} // namespace zp::rt::cuda::emulated

#endif // ZP_RUNTIME_DEVICE_CUDA_EMULATED_QUEUES_H
