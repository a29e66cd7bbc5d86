// Whether a plan fits: its spaces and the process's reserve against what a device, and a node's host memory and disk, have.
#ifndef ZP_RUNTIME_PLAN_SIMULATE_BUDGET_H
#define ZP_RUNTIME_PLAN_SIMULATE_BUDGET_H

#include <string>

#include "runtime/plan/simulate/cluster.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// What a plan takes. A CPU's device memory is host memory too, and so is what its process takes beside the plan.
struct Footprint {
  uint64_t device = 0, reserve = 0; ///< of a rank; together they count against the device's memory
  uint64_t host = 0, disk = 0;      ///< of a node, its ranks together
};
Footprint footprintOf(const fbs::Plan &plan, const Cluster &cluster);

/// "device 12.3 GB and 1.50 GB reserve of 10.0 GB": what is too much, all of it; empty when the plan fits.
std::string excessOf(const Footprint &footprint, const Cluster &cluster);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SIMULATE_BUDGET_H
