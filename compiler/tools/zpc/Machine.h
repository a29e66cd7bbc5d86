// The machine that a verb plans for: a device of the table, a cluster.yaml, a budget.
#ifndef ZP_COMPILER_TOOLS_ZPC_MACHINE_H
#define ZP_COMPILER_TOOLS_ZPC_MACHINE_H

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/plan/simulate/cluster.h"

namespace zp {

struct MachineFlags {
  std::string device, clusterFile, memoryBudget;

  bool namesDevice() const { return !device.empty() || !clusterFile.empty(); }
  bool given() const { return namesDevice() || !memoryBudget.empty(); }
  /// The field of `--device`, `--cluster` or `--memory_budget`; null for another flag.
  std::string *find(const std::string &flag);
};

/// Lines for a verb's --help.
std::string machineHelp();

/// What the flags name. Without --device and --cluster: a device of `target` ("cpu", or of CUDA's the a100-80gb), whose memory is
/// not limited unless by the budget. Errors: Usage, and what readCluster has.
StatusOr<rt::Cluster> machineOf(const MachineFlags &flags, const std::string &target);

/// Config when the cluster has fewer devices than that; `what` is named in the message.
Status checkRanks(const rt::Cluster &cluster, uint32_t ranks, const std::string &what);

/// A cluster.yaml: `device`, `link`, `network`, the numbers of cluster_keys.inc, `kernels`. Errors: FileMissing, Config, UnknownKey.
StatusOr<rt::Cluster> readCluster(const std::string &path);

/// "38GiB", "80GB", "1500000000": bytes. Nothing for other words, or for less than one byte.
std::optional<double> bytesNamed(const std::string &text);

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_MACHINE_H
