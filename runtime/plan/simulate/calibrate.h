// From what instructions took on a machine to the cluster that tells what others will: `zprun bench --calibrate`.
#ifndef ZP_RUNTIME_PLAN_SIMULATE_CALIBRATE_H
#define ZP_RUNTIME_PLAN_SIMULATE_CALIBRATE_H

#include "runtime/plan/simulate/instruction_cost.h"

namespace zp::rt {

/// What each instruction took, alone on its rank while the others do the same. The median of its runs counts: the least is of moments
/// in which another rank was idle and left it more of the machine.
class InstructionTimes {
public:
  explicit InstructionTimes(const fbs::Plan &plan);
  void note(uint32_t entry, uint32_t instruction, double seconds) { runs[entry][instruction].push_back(seconds); }
  /// Seconds; 0 where it hasn't run.
  double typical(uint32_t entry, uint32_t instruction) const;

private:
  std::vector<std::vector<std::vector<double>>> runs;
};

/// One kernel's time beside its work.
struct RateSample {
  Work work;
  double seconds = 0;
};

/// The rate that comes nearest to the samples in relative error, without negative parts. What samples don't tell apart, for want of
/// different shapes, is divided as `prior` has it. Requires a sample, and a prior of positive parts.
KernelRate fitRate(const std::vector<RateSample> &samples, const KernelRate &prior);

/// The machine on which the plan's ranks, `threads` each, took these times: a node of as many CPU ranks. Kernels that the plan doesn't
/// have are as `known` has them.
Cluster calibrate(const PlanIndex &index, const InstructionTimes &times, int threads, const std::map<std::string, KernelRate> &known);

/// The lines of `kernels` in a file that clusterYaml wrote; nothing of other text.
std::map<std::string, KernelRate> kernelsOf(const std::string &yaml);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SIMULATE_CALIBRATE_H
