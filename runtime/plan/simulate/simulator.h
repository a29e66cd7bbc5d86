// One update of a plan on a machine, before it runs: the plan's own streams and events, replayed with what each instruction costs.
//
// All ranks do the same at the same time, so one stands for all. A stream takes its instructions in the list's order; a wait
// holds it until the event's recorder has come past. While several streams are busy each runs at the machine's `overlap`.
#ifndef ZP_RUNTIME_PLAN_SIMULATE_SIMULATOR_H
#define ZP_RUNTIME_PLAN_SIMULATE_SIMULATOR_H

#include <array>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/plan/simulate/instruction_cost.h"

namespace zp::rt {

/// An instruction's time on its stream; waits and events have none.
struct Slice {
  uint32_t instruction;
  double start, seconds;
};

struct EntryTimeline {
  uint32_t entry = 0;
  uint64_t times = 1;                         ///< in an update
  double seconds = 0;                         ///< of one run
  std::array<double, kResources> secondsBy{}; ///< adds up to `seconds`: of stream 0, and of what it waits for
  std::vector<Slice> slices;
};

struct Simulation {
  std::vector<EntryTimeline> entries; ///< of one update, in the plan's order
  double stepSeconds = 0, tokens = 0; ///< of an update over all ranks
  std::array<double, kResources> secondsBy{};

  double tokensPerSecond() const { return stepSeconds > 0 ? tokens / stepSeconds : 0; }
  /// Time in which data move and stream 0 computes nothing.
  double exposedSeconds() const;
  /// What most of an update's time goes to.
  Resource bottleneck() const;
};

/// Requires a plan that passed its proofs.
Simulation simulate(const Cluster &cluster, const PlanIndex &index);

/// Writes the timeline of each entry, one behind the other, as TraceWriter has it. Errors: DiskWrite, DiskFull.
Status writeTrace(const PlanIndex &index, const Simulation &simulation, const std::string &path);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SIMULATE_SIMULATOR_H
