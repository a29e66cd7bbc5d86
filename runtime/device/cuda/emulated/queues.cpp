#include "runtime/device/cuda/emulated/queues.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "runtime/device/cuda/emulated/order.h"

namespace zp::rt::cuda::emulated {

static Status bug(const std::string &text) { return Status(ErrorCode::Internal, "cuda: " + text + "; this is a bug"); }

Status refusedInCapture(const char *what) { return bug(std::string(what) + " while a graph is captured, expected it before or after"); }

static uint64_t numberIn(const char *variable) {
  const char *text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : 0;
}

Queues::Queues() : room(numberIn("ZP_EMULATED_QUEUE")), untilFault(numberIn("ZP_EMULATED_FAULT")) {}

void Queues::remove(Queue *queue) { queues.erase(std::find(queues.begin(), queues.end(), queue)); }

bool Queues::put(Queue *queue, Task task) {
  if (!queue->capturing) {
    if (room > 0)
      (void)goOn([&] { return queue->tasks.size() < room; }, true);
    queue->tasks.push_back(std::move(task));
    return false;
  }
  ++queue->known[queue];
  captured.emplace_back(queue, std::move(task));
  return true;
}

void Queues::record(EventState &event, Queue *queue) {
  event.last = std::make_shared<Mark>();
  put(queue, {nullptr, event.last, nullptr});
  event.capture = queue->capturing ? captures : 0;
  event.known = queue->known;
}

Status Queues::wait(const EventState &event, Queue *queue) {
  if (!event.last)
    return {};
  if (event.capture != 0 && event.capture != capture())
    return bug("a stream waits for an event that only a graph records, expected one that is recorded again");
  if (queue->capturing && event.capture == 0)
    return refusedInCapture("a stream waits for what is outside");
  if (event.capture != 0) {
    queue->capturing = true; // it takes part from here on
    for (const auto &[other, count] : event.known)
      queue->known[other] = std::max(queue->known[other], count);
  }
  put(queue, {nullptr, nullptr, event.last});
  return {};
}

bool Queues::hasTasks() const {
  return std::any_of(queues.begin(), queues.end(), [](const Queue *queue) { return !queue->tasks.empty(); });
}

/// The next to take a task, of those that can and whose work isn't known to be stuck.
Queue *Queues::choose(const std::vector<Queue *> &stuck) {
  std::vector<Queue *> able;
  for (Queue *queue : queues)
    if (!queue->tasks.empty() && (!queue->tasks.front().awaits || queue->tasks.front().awaits->reached) &&
        std::find(stuck.begin(), stuck.end(), queue) == stuck.end())
      able.push_back(queue);
  if (able.empty())
    return nullptr;
  return able[order().pick(able.size())];
}

StatusOr<bool> Queues::finish(const Queue *queue, bool patient) {
  return goOn([&] { return queue ? queue->tasks.empty() : !hasTasks(); }, patient);
}

StatusOr<bool> Queues::goOn(const std::function<bool()> &over, bool patient) {
  std::vector<Queue *> stuck; // whose work was tried since something was done last
  ZP_RETURN_IF_ERROR(broken);
  while (!over()) {
    Queue *next = choose(stuck);
    if (!next && stuck.empty())
      return bug("every stream awaits an event that none of them will record, expected waits for what was recorded");
    if (!next) {
      if (!patient)
        return false;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      stuck.clear();
      continue;
    }
    const Task &task = next->tasks.front();
    if (task.work && !task.work()) {
      stuck.push_back(next);
      continue;
    }
    if (task.sets)
      *task.sets = {true, std::chrono::steady_clock::now()};
    next->tasks.pop_front();
    stuck.clear();
    if (untilFault > 0 && --untilFault == 0)
      return broken = Status(ErrorCode::DeviceFault, "cuda: the emulated device is broken, expected that it works; ZP_EMULATED_FAULT asks for it");
  }
  return true;
}

Status Queues::beginCapture(Queue *queue) {
  if (origin)
    return bug("a capture begins within another, expected one at a time");
  origin = queue;
  ++captures;
  queue->capturing = true;
  return {};
}

StatusOr<std::unique_ptr<GraphState>> Queues::endCapture(Queue *queue) {
  auto graph = std::make_unique<GraphState>();
  std::map<Queue *, Queue *> twins;
  Known all;
  for (auto &[stream, task] : captured) {
    Queue *&twin = twins[stream];
    if (!twin)
      twin = graph->queues.emplace_back(std::make_unique<Queue>()).get();
    ++all[stream];
    graph->tasks.emplace_back(twin, std::move(task));
  }
  const bool joined = queue == origin && queue->known == all;
  for (Queue *stream : queues) {
    stream->capturing = false;
    stream->known.clear();
  }
  captured.clear();
  origin = nullptr;
  if (!joined)
    return bug("a capture ends before all of its streams were joined, expected a wait for what each did last");
  for (auto &twin : graph->queues)
    add(twin.get());
  return graph;
}

void Queues::replay(GraphState &graph, Queue *queue) {
  auto begin = std::make_shared<Mark>();
  put(queue, {nullptr, begin, nullptr});
  for (auto &twin : graph.queues)
    twin->tasks.push_back({nullptr, nullptr, begin});
  std::map<const Mark *, std::shared_ptr<Mark>> renewed; // each replay has marks of its own
  auto renew = [&](const std::shared_ptr<Mark> &mark) {
    std::shared_ptr<Mark> &made = renewed[mark.get()];
    if (mark && !made)
      made = std::make_shared<Mark>();
    return made;
  };
  for (const auto &[twin, task] : graph.tasks)
    twin->tasks.push_back({task.work, renew(task.sets), renew(task.awaits)});
  for (auto &twin : graph.queues) {
    auto end = std::make_shared<Mark>();
    twin->tasks.push_back({nullptr, end, nullptr});
    put(queue, {nullptr, nullptr, end});
  }
}

} // namespace zp::rt::cuda::emulated
