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

struct BenchReport {
  double stepSeconds = 0;     ///< median of the timed updates
  double tokensPerStep = 0;   ///< all ranks
  double flopsPerStep = 0;    ///< this rank's share
  double loss = 0;            ///< of the last update: a number that is no number tells of a broken kernel
  uint64_t steps = 0;
  std::map<std::string, double> secondsByKind; ///< per update, by instruction
};

/// A plan's updates, one at a time. Its `init` entry has run. All outlive it.
class BenchLoop {
public:
  BenchLoop(const fbs::Plan &plan, const JobSettings &settings, Executor &executor, Communicator &communicator);
  /// The next update, which all ranks begin together. The first two warm up, the others are timed.
  Status step();
  /// Seconds of the timed updates.
  const std::vector<double> &seconds() const { return timed; }
  /// At least one update has been timed.
  StatusOr<BenchReport> report();

private:
  const fbs::Plan &plan;
  const JobSettings &settings;
  Executor &executor;
  Communicator &communicator;
  PlanEntries entries;
  uint32_t length;
  uint64_t updates = 0;
  double rows = 0; ///< of an update, all ranks
  std::vector<double> timed;
  std::array<double, 256> before{}; ///< seconds by opcode when the timed updates began
};

/// Two updates of a plan warm up before `steps` are timed.
StatusOr<BenchReport> bench(BenchLoop &loop, uint64_t steps);

/// Two plans whose updates take turns, so that whatever else the machine does slows both.
struct BenchComparison {
  BenchReport plan, against;
  double stepTimeRatio = 0; ///< of the plan's update to the other's: the median over the turns
};
StatusOr<BenchComparison> benchInTurns(BenchLoop &plan, BenchLoop &against, uint64_t steps);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_BENCH_H
