// When each instruction of a run was carried out on a device, told by events around it.
//
// Contract. `open` makes all events; then for each run: `begin` on a device that has nothing to do, `before` and `after` an instruction is
// asked for, in its stream, and `note` once all streams are done. A graph keeps no events with times: runs are asked for instruction by
// instruction.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_EVENT_TIMES_H
#define ZP_RUNTIME_EXECUTOR_CUDA_EVENT_TIMES_H

#include <array>
#include <vector>

#include "runtime/device/cuda/cuda_api.h"
#include "runtime/executor/resolve.h"
#include "runtime/executor/step_times.h"

namespace zp::rt {

class EventTimes {
public:
  EventTimes() = default;
  EventTimes(const EventTimes &) = delete;
  EventTimes &operator=(const EventTimes &) = delete;
  ~EventTimes();

  /// For entries of at most so many instructions.
  Status open(size_t instructions);
  bool isOpen() const { return start != nullptr; }
  Status begin(cuda::Stream stream);
  Status before(size_t instruction, cuda::Stream stream) { return cuda::record(events[2 * instruction], stream); }
  Status after(size_t instruction, cuda::Stream stream) { return cuda::record(events[2 * instruction + 1], stream); }
  /// Into `times` by stream, and added to `seconds` by opcode.
  Status note(uint32_t entry, const std::vector<ResolvedInstruction> &list, StepTimes &times, std::array<double, 256> &seconds) const;

  /// Whether an instruction does something: events alone order what others do.
  static bool isTimed(const ResolvedInstruction &instruction);

private:
  cuda::Event start = nullptr;
  StepTimes::Clock::time_point startedAt; ///< the host's time of `start`
  std::vector<cuda::Event> events;        ///< two an instruction
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_EVENT_TIMES_H
