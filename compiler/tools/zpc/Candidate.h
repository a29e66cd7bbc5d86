// One way to run a job on a machine: settings, compiled and simulated to know what they take.
#ifndef ZP_COMPILER_TOOLS_ZPC_CANDIDATE_H
#define ZP_COMPILER_TOOLS_ZPC_CANDIDATE_H

#include <string>
#include <vector>

#include "compiler/tools/zpc/Compilation.h"
#include "runtime/plan/simulate/budget.h"

namespace zp {

struct Candidate {
  JobSettings settings;
  std::string problem;    ///< why it could not be compiled
  std::string excess;     ///< what of it is too much for the machine
  bool simulated = false; ///< the numbers below are known
  rt::Footprint footprint;
  double stepSeconds = 0, tokensPerSecond = 0, exposedSeconds = 0;
  double withoutLatency = 0;                    ///< `stepSeconds`, if starting a collective took no time: no way to bundle them is faster
  int64_t wholeSections = 0, wholeElements = 0; ///< trained, of which every rank keeps all values: what `reduce_bucket_size` may join
  std::string bottleneck;

  bool fits() const { return problem.empty() && excess.empty(); }
};

/// Compiles the module of phase import with the settings, whose ranges it checks too, and simulates the plan. Recomputation that is left
/// to us is resolved first. `fused`: see compileWith.
Candidate evaluate(mlir::ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster, FusedModules *fused = nullptr);

/// "--zero_stage 3 --rematerialize block": the knobs of a search that differ from another job's.
std::string flagsOf(const JobSettings &settings, const JobSettings &from);

/// A line each, with the knobs of a search.
std::string tableOf(const std::vector<Candidate> &candidates);
/// A list of objects.
std::string jsonOf(const std::vector<Candidate> &candidates);

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_CANDIDATE_H
