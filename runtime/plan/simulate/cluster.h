// The machines that a plan may run on, as numbers: what a device computes and moves in a second, what lies between devices.
//
// A cluster begins as a row of devices.inc with its usual surroundings; a cluster.yaml changes what it names (zpc reads it,
// `zprun bench --calibrate` writes one). Rates are what is reached, not what is printed on the box.
#ifndef ZP_RUNTIME_PLAN_SIMULATE_CLUSTER_H
#define ZP_RUNTIME_PLAN_SIMULATE_CLUSTER_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace zp::rt {

/// Of one kernel on one machine, measured: the three add up.
struct KernelRate {
  double secondsPerCall = 0, secondsPerOperation = 0, secondsPerByte = 0;
};

struct Cluster {
  std::string device, target;
#define ZP_CLUSTER_KEY(name, kind, least, doc) double name = 0;
#include "runtime/plan/simulate/cluster_keys.inc"
#undef ZP_CLUSTER_KEY
  std::map<std::string, KernelRate> kernels; ///< by kernelClassOf (instruction_cost.h); what isn't there goes by the rates above

  /// Ranks that share a node, of so many in all; 1 at least.
  uint32_t ranksOfNode(uint32_t ranks) const;
  uint32_t nodesFor(uint32_t ranks) const { return (ranks + ranksOfNode(ranks) - 1) / ranksOfNode(ranks); }
};

/// A device of the table in its usual surroundings; nothing for a name that isn't there.
std::optional<Cluster> clusterOf(const std::string &device);
std::vector<std::string> deviceNames();

/// Sets link_* or network_*, by `network`, to a row of links.inc; false for a name that isn't there.
bool setLink(Cluster &cluster, const std::string &name, bool network);
std::vector<std::string> linkNames();

/// The file that reads back as this cluster.
std::string clusterYaml(const Cluster &cluster, const std::string &comment);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SIMULATE_CLUSTER_H
