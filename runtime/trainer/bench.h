// Times training steps of a plan with weights and tokens drawn from a seed.
#ifndef ZP_RUNTIME_TRAINER_BENCH_H
#define ZP_RUNTIME_TRAINER_BENCH_H

#include <array>
#include <map>
#include <string>
#include <vector>

#include "runtime/executor/executor.h"
#include "runtime/schema/settings.h"
#include "runtime/trainer/plan_entries.h"

namespace zp::rt {

/// Updates that a plan runs: the first of them fault pages in and fill caches, and aren't timed.
struct BenchSteps {
  uint64_t warmUp = 2, timed = 10;
};

struct BenchReport {
  double stepSeconds = 0;      ///< median of the timed updates
  double tokensPerStep = 0;    ///< all ranks
  double flopsPerStep = 0;     ///< this rank's share
  double loss = 0;             ///< of the last update: a number that is no number tells of a broken kernel
  double firstStepSeconds = 0; ///< of the first update, timed or not: what is chosen and built once is in it
  uint64_t steps = 0;
  std::map<std::string, double> secondsByKind; ///< per update, by instruction
};

/// A plan's updates, one at a time. Its `init` entry has run. All outlive it.
class BenchLoop {
public:
  BenchLoop(const fbs::Plan &plan, const JobSettings &settings, Executor &executor, Communicator &communicator, BenchSteps steps = {});
  /// The next update, which all ranks begin together.
  Status step();
  bool ended() const { return updates == steps.warmUp + steps.timed; }
  /// Seconds of the timed updates.
  const std::vector<double> &seconds() const { return timed; }
  /// At least one update has been timed.
  StatusOr<BenchReport> report();

private:
  const fbs::Plan &plan;
  const JobSettings &settings;
  Executor &executor;
  Communicator &communicator;
  BenchSteps steps;
  PlanEntries entries;
  uint32_t length;
  uint64_t updates = 0;
  double rows = 0; ///< of an update, all ranks
  double firstSeconds = 0;
  std::vector<double> timed;
  std::array<double, 256> before{}; ///< seconds by opcode when the timed updates began
};

/// All updates of a plan.
StatusOr<BenchReport> bench(BenchLoop &loop);

/// Two plans of as many updates, which take turns, so that whatever else the machine does slows both.
struct BenchComparison {
  BenchReport plan, against;
  double stepTimeRatio = 0; ///< of the plan's update to the other's: the median over the turns
};
StatusOr<BenchComparison> benchInTurns(BenchLoop &plan, BenchLoop &against);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_BENCH_H
