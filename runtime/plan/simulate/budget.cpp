#include "runtime/plan/simulate/budget.h"

#include "runtime/plan/report/text_table.h"

namespace zp::rt {

Footprint footprintOf(const fbs::Plan &plan, const Cluster &cluster) {
  Footprint footprint;
  footprint.reserve = plan.reserve_bytes();
  const uint64_t ranks = cluster.ranksOfNode(plan.ranks());
  const bool cpu = plan.target()->string_view() == "cpu";
  for (const fbs::Space *space : *plan.spaces()) {
    if (space->tier() == fbs::Tier::Device)
      footprint.device += space->bytes();
    if (space->tier() == fbs::Tier::Disk)
      footprint.disk += ranks * space->bytes();
    else if (cpu || space->tier() != fbs::Tier::Device)
      footprint.host += ranks * space->bytes();
  }
  if (cpu)
    footprint.host += ranks * plan.reserve_bytes();
  return footprint;
}

std::string excessOf(const Footprint &footprint, const Cluster &cluster) {
  std::string text;
  auto add = [&](const std::string &what, uint64_t bytes, double most) {
    if (most > 0 && static_cast<double>(bytes) > most)
      text += (text.empty() ? "" : ", ") + what + " of " + humanBytes(static_cast<uint64_t>(most));
  };
  add("device " + humanBytes(footprint.device) + " and " + humanBytes(footprint.reserve) + " reserve", footprint.device + footprint.reserve,
      cluster.memory);
  add("host " + humanBytes(footprint.host) + " a node", footprint.host, cluster.host_memory);
  add("nvme " + humanBytes(footprint.disk) + " a node", footprint.disk, cluster.nvme);
  return text;
}

} // namespace zp::rt
