// `zpc simulate` for programs and for people.
#ifndef ZP_RUNTIME_PLAN_SIMULATE_SIMULATE_REPORT_H
#define ZP_RUNTIME_PLAN_SIMULATE_SIMULATE_REPORT_H

#include <string>

#include "runtime/plan/simulate/simulator.h"

namespace zp::rt {

/// `{"step_seconds", "tokens_per_second", "exposed_communication_seconds", "bottleneck", …}`, of one update.
std::string simulationJson(const Cluster &cluster, const PlanIndex &index, const Simulation &simulation);
std::string simulationText(const Cluster &cluster, const PlanIndex &index, const Simulation &simulation);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SIMULATE_SIMULATE_REPORT_H
