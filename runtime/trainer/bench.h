// Times training steps of a plan with weights and tokens drawn from a seed.
#ifndef ZP_RUNTIME_TRAINER_BENCH_H
#define ZP_RUNTIME_TRAINER_BENCH_H

#include <map>
#include <string>

#include "runtime/executor/executor.h"
#include "runtime/schema/settings.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

struct BenchReport {
  double stepSeconds = 0;     ///< median of the timed updates
  double tokensPerStep = 0;   ///< all ranks
  double flopsPerStep = 0;    ///< this rank's share
  double loss = 0;            ///< of the last update: a number that is no number tells of a broken kernel
  uint64_t steps = 0;
  std::map<std::string, double> secondsByKind; ///< per update, by instruction
};

/// The plan's `init` entry has run. Two updates warm up before `steps` are timed.
StatusOr<BenchReport> bench(const fbs::Plan &plan, const JobSettings &settings, Executor &executor, Communicator &communicator, uint64_t steps);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_BENCH_H
