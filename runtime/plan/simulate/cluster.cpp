#include "runtime/plan/simulate/cluster.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace zp::rt {
namespace {

// What large kernels reach of a data sheet's peak: products 0.75 to 0.8, copies 0.85 to 0.9 on the devices that were read of;
// collectives 0.8 of their links.
constexpr double kProducts = 0.75, kMemory = 0.85, kLinks = 0.8;
constexpr double kLaunchSeconds = 4e-6;
// Of a server: memory of two sockets, one NVMe drive, a network card a device.
constexpr double kHostBandwidth = 200e9, kNvmeRead = 6e9, kNvmeWrite = 3e9;
constexpr const char *kNetwork = "infiniband_hdr";
// A rank of a CPU has a core: its streams take turns.
constexpr double kSharedCore = 0.5, kCpuLaunch = 1e-6;

struct DeviceRow {
  const char *name, *target;
  uint64_t memory;
  double f32, bf16, bandwidth, hostLink;
  const char *link;
  double devices;
};
constexpr DeviceRow kDevices[] = {
#define ZP_DEVICE(name, target, memory, f32, bf16, bandwidth, hostLink, link, devices)                                                               \
  {name, target, memory, f32, bf16, bandwidth, hostLink, link, devices},
#include "runtime/plan/simulate/devices.inc"
#undef ZP_DEVICE
};

struct LinkRow {
  const char *name;
  double bandwidth, latency;
};
constexpr LinkRow kLinkRows[] = {
#define ZP_LINK(name, bandwidth, latency) {name, bandwidth, latency},
#include "runtime/plan/simulate/links.inc"
#undef ZP_LINK
};

} // namespace

uint32_t Cluster::ranksOfNode(uint32_t ranks) const {
  const double most = devices_per_node > 0 ? devices_per_node : ranks;
  return std::max<uint32_t>(1, static_cast<uint32_t>(std::min<double>(most, ranks)));
}

std::optional<Cluster> clusterOf(const std::string &device) {
  auto row = std::find_if(std::begin(kDevices), std::end(kDevices), [&](const DeviceRow &row) { return device == row.name; });
  if (row == std::end(kDevices))
    return std::nullopt;
  Cluster cluster;
  cluster.device = row->name;
  cluster.target = row->target;
  const bool cpu = cluster.target == "cpu";
  cluster.devices_per_node = row->devices;
  cluster.memory = static_cast<double>(row->memory);
  cluster.flops_f32 = cpu ? row->f32 : kProducts * row->f32;
  cluster.flops_bf16 = cpu ? row->bf16 : kProducts * row->bf16;
  cluster.memory_bandwidth = cpu ? row->bandwidth : kMemory * row->bandwidth;
  cluster.launch_seconds = cpu ? kCpuLaunch : kLaunchSeconds;
  cluster.host_bandwidth = kHostBandwidth;
  cluster.host_link_bandwidth = cpu ? row->hostLink : kLinks * row->hostLink;
  setLink(cluster, row->link, false);
  setLink(cluster, kNetwork, true);
  cluster.nvme_read_bandwidth = kNvmeRead;
  cluster.nvme_write_bandwidth = kNvmeWrite;
  cluster.overlap = cpu ? kSharedCore : 1;
  return cluster;
}

std::vector<std::string> deviceNames() {
  std::vector<std::string> names;
  for (const DeviceRow &row : kDevices)
    names.emplace_back(row.name);
  return names;
}

bool setLink(Cluster &cluster, const std::string &name, bool network) {
  for (const LinkRow &row : kLinkRows)
    if (name == row.name) {
      (network ? cluster.network_bandwidth : cluster.link_bandwidth) = kLinks * row.bandwidth;
      (network ? cluster.network_latency : cluster.link_latency) = row.latency;
      return true;
    }
  return false;
}

std::vector<std::string> linkNames() {
  std::vector<std::string> names;
  for (const LinkRow &row : kLinkRows)
    names.emplace_back(row.name);
  return names;
}

std::string clusterYaml(const Cluster &cluster, const std::string &comment) {
  std::string text = "# " + comment + "\ndevice: " + cluster.device + "\n";
  char line[160];
  auto add = [&](const char *name, double value, const char *doc) {
    std::snprintf(line, sizeof(line), "%s: %.6g", name, value);
    std::string padded = line;
    padded.resize(std::max<size_t>(padded.size() + 1, 36), ' ');
    text += padded + "# " + doc + "\n";
  };
#define ZP_CLUSTER_KEY(name, kind, least, doc)                                                                                                       \
  if (cluster.name >= least)                                                                                                                         \
    add(#name, cluster.name, doc);
#include "runtime/plan/simulate/cluster_keys.inc"
#undef ZP_CLUSTER_KEY
  if (!cluster.kernels.empty())
    text += "kernels: # seconds a call, a floating point operation, a byte of operands: they add up\n";
  for (const auto &[name, rate] : cluster.kernels) {
    std::snprintf(line, sizeof(line), "  %s: [%.6g, %.6g, %.6g]\n", name.c_str(), rate.secondsPerCall, rate.secondsPerOperation, rate.secondsPerByte);
    text += line;
  }
  return text;
}

} // namespace zp::rt
