#include "runtime/executor/cuda/event_times.h"

#include <algorithm>

namespace zp::rt {

EventTimes::~EventTimes() {
  if (start)
    cuda::destroyEvent(start);
  for (cuda::Event event : events)
    cuda::destroyEvent(event);
}

bool EventTimes::isTimed(const ResolvedInstruction &instruction) {
  return instruction.source->op_type() != fbs::OpAttrs::RecordEvent && instruction.source->op_type() != fbs::OpAttrs::WaitEvent;
}

Status EventTimes::open(size_t instructions) {
  ZP_ASSIGN_OR_RETURN(start, cuda::createEvent(/*timed=*/true));
  while (events.size() < 2 * instructions) {
    ZP_ASSIGN_OR_RETURN(cuda::Event event, cuda::createEvent(/*timed=*/true));
    events.push_back(event);
  }
  return {};
}

Status EventTimes::begin(cuda::Stream stream) {
  ZP_RETURN_IF_ERROR(cuda::synchronize(stream));
  ZP_RETURN_IF_ERROR(cuda::record(start, stream));
  ZP_RETURN_IF_ERROR(cuda::synchronize(stream)); // it has just been reached
  startedAt = StepTimes::Clock::now();
  return {};
}

Status EventTimes::note(uint32_t entry, const std::vector<ResolvedInstruction> &list, StepTimes &times, std::array<double, 256> &seconds) const {
  using Duration = StepTimes::Clock::duration;
  std::vector<StepTimes::Clock::time_point> ends(times.streams(), startedAt);
  for (uint32_t i = 0; i < list.size(); ++i) {
    if (!isTimed(list[i]))
      continue;
    ZP_ASSIGN_OR_RETURN(double from, cuda::secondsBetween(start, events[2 * i]));
    ZP_ASSIGN_OR_RETURN(double to, cuda::secondsBetween(start, events[2 * i + 1]));
    auto at = [&](double since) { return startedAt + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(since)); };
    auto &last = ends[list[i].source->stream()]; // a device's clock is coarse: what follows begins where that before it ended
    const auto begin = std::max(at(from), last), end = std::max(at(to), begin);
    last = end;
    times.note(list[i].source->stream(), entry, i, begin, end);
    seconds[static_cast<size_t>(list[i].source->op_type())] += to - from;
  }
  return {};
}

} // namespace zp::rt
