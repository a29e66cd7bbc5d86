// When each instruction ran, by stream: what a measured timeline is made of.
//
// Room is taken once, for the last so many instructions of each stream; older ones are overwritten. A stream notes its own
// without a lock, so reading is for between runs.
#ifndef ZP_RUNTIME_EXECUTOR_STEP_TIMES_H
#define ZP_RUNTIME_EXECUTOR_STEP_TIMES_H

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace zp::rt {

struct StepTime {
  uint32_t entry, instruction;
  int64_t begin, end; ///< nanoseconds of the steady clock
};

class StepTimes {
public:
  StepTimes() = default;
  StepTimes(uint32_t streams, uint32_t steps) : rings(streams) {
    for (Ring &ring : rings)
      ring.steps.resize(steps);
  }

  using Clock = std::chrono::steady_clock;
  void note(uint32_t stream, uint32_t entry, uint32_t instruction, Clock::time_point begin, Clock::time_point end) {
    if (rings.empty() || rings[stream].steps.empty())
      return;
    Ring &ring = rings[stream];
    ring.steps[ring.noted++ % ring.steps.size()] = {entry, instruction, nanoseconds(begin), nanoseconds(end)};
  }

  size_t streams() const { return rings.size(); }
  /// What is left of a stream, oldest first.
  std::vector<StepTime> of(uint32_t stream) const {
    const Ring &ring = rings[stream];
    std::vector<StepTime> out;
    for (uint64_t i = ring.noted - std::min<uint64_t>(ring.noted, ring.steps.size()); i < ring.noted; ++i)
      out.push_back(ring.steps[i % ring.steps.size()]);
    return out;
  }
  void clear() {
    for (Ring &ring : rings)
      ring.noted = 0;
  }

  static int64_t nanoseconds(Clock::time_point at) { return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count(); }

private:
  struct alignas(64) Ring { // a cache line of its own: streams don't wait for one another's notes
    std::vector<StepTime> steps;
    uint64_t noted = 0;
  };
  std::vector<Ring> rings;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_STEP_TIMES_H
