// `zpc compile --fit`: stage or replica, offload, recomputation and how gradients are reduced chosen for a machine: the fastest predicted
// plan that fits.
//
// Per stage and recomputation the search begins without offload, and offloads one thing more where that doesn't fit. Offloading only
// adds transfers, so what comes of a plan is no faster than it: a plan that fits needs no offspring, and one that doesn't bounds
// the time of its own. The most promising goes first, and the search ends when nothing left could be faster than what was found. What
// memory the fastest leave goes into fewer recomputed blocks, then into prefetching further.
//
// Where an update has several micro-batches, stage 3 begins a second time with gradients reduced once an update. Larger buckets are tried of
// what fits, while they help: they save latency and take memory, so what a plan takes without latency bounds the time with any bucket.
#ifndef ZP_COMPILER_TOOLS_ZPC_PLANSEARCH_H
#define ZP_COMPILER_TOOLS_ZPC_PLANSEARCH_H

#include "compiler/tools/zpc/Candidate.h"

namespace zp {

struct PlanSearch {
  std::vector<Candidate> tried;            ///< the fitting ones first, fastest first
  size_t combinations = 0, considered = 0; ///< that there are, and those of them that were tried

  bool found() const { return !tried.empty() && tried.front().fits(); }
};

/// Disk is a place only when the settings name an `nvme_path`. `exhaustive`: every combination, to hold the search against.
PlanSearch searchPlans(mlir::ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster, bool exhaustive);

/// Of what was tried and doesn't fit, that which takes the least of the device: its flags and what is too much.
std::string nearestOf(const std::vector<Candidate> &tried, const JobSettings &settings);

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_PLANSEARCH_H
