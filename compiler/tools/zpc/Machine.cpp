#include "compiler/tools/zpc/Machine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "frontends/accelerate/ConfigDocument.h"
#include "runtime/base/names.h"

namespace zp {
namespace {

enum class NumberKind { Count, Bytes, Number };

struct NumberKey {
  const char *name;
  double rt::Cluster::*field;
  NumberKind kind;
  double least;
};
constexpr NumberKey kNumberKeys[] = {
#define ZP_CLUSTER_KEY(name, kind, least, doc) {#name, &rt::Cluster::name, NumberKind::kind, least},
#include "runtime/plan/simulate/cluster_keys.inc"
#undef ZP_CLUSTER_KEY
};
constexpr double kMost = 1e21;

std::optional<double> numberOf(const std::string &text) {
  double value = 0;
  const char *end = text.data() + text.size();
  auto [last, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && last == end && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::string alternatives(const std::vector<std::string> &names) { return joinNames(names, " or "); }

/// Reads one file; the first complaint stays.
class ClusterReader {
public:
  explicit ClusterReader(const fe::ConfigDocument &document) : document(document) {}

  StatusOr<rt::Cluster> read() {
    std::string device = word("device");
    std::optional<rt::Cluster> row = rt::clusterOf(device);
    if (error.ok() && !row)
      fail(lineOf("device"), "device", device.empty() ? "is missing" : "is " + device, alternatives(rt::deviceNames()),
           "name the nearest and change its numbers");
    ZP_RETURN_IF_ERROR(error);
    cluster = *row;
    for (const char *key : {"link", "network"})
      if (const fe::ConfigNode *node = document.root().find(key); node && !rt::setLink(cluster, node->text, std::string(key) == "network"))
        fail(node->line, key, "is " + node->shown(), alternatives(rt::linkNames()), "name the nearest and change its numbers");
    for (const fe::ConfigNode::Entry &entry : document.root().entries)
      take(entry);
    ZP_RETURN_IF_ERROR(error);
    return cluster;
  }

private:
  void fail(int line, const std::string &key, const std::string &what, const std::string &expected, const std::string &fix,
            ErrorCode code = ErrorCode::Config) {
    if (error.ok())
      error = Status(code, document.place(line, key) + ": " + what + ", expected " + expected + "; " + fix);
  }
  int lineOf(const std::string &key) const {
    const fe::ConfigNode *node = document.root().find(key);
    return node ? node->line : 1;
  }
  std::string word(const std::string &key) const {
    const fe::ConfigNode *node = document.root().find(key);
    return node && node->kind == fe::ConfigNode::Kind::Scalar ? node->text : "";
  }

  void take(const fe::ConfigNode::Entry &entry) {
    if (entry.key == "device" || entry.key == "link" || entry.key == "network")
      return;
    if (entry.key == "kernels")
      return takeKernels(entry.value);
    auto key = std::find_if(std::begin(kNumberKeys), std::end(kNumberKeys), [&](const NumberKey &key) { return entry.key == key.name; });
    if (key == std::end(kNumberKeys))
      return unknown(entry);
    const double number = valueOf(*key, entry.value);
    if (number < key->least || number > kMost)
      return fail(entry.line, entry.key, "is " + entry.value.shown(), expectedOf(*key), "mend the file");
    cluster.*key->field = number;
  }

  /// Negative for what is no value of the key.
  static double valueOf(const NumberKey &key, const fe::ConfigNode &node) {
    if (node.kind != fe::ConfigNode::Kind::Scalar)
      return -1;
    if (key.kind == NumberKind::Bytes && node.text != "0")
      return bytesNamed(node.text).value_or(-1);
    const double number = numberOf(node.text).value_or(-1);
    return key.kind == NumberKind::Count && number != std::floor(number) ? -1 : number;
  }

  static std::string expectedOf(const NumberKey &key) {
    if (key.kind == NumberKind::Bytes)
      return "bytes, as 80GiB";
    char text[64];
    std::snprintf(text, sizeof(text), "a %snumber, %g or more", key.kind == NumberKind::Count ? "whole " : "", key.least);
    return text;
  }

  void takeKernels(const fe::ConfigNode &map) {
    for (const fe::ConfigNode::Entry &entry : map.entries) {
      double values[3] = {};
      bool good = entry.value.items.size() == 3;
      for (size_t i = 0; good && i < 3; ++i) {
        std::optional<double> number = numberOf(entry.value.items[i].text);
        good = number && *number >= 0 && *number < kMost;
        values[i] = number.value_or(0);
      }
      if (!good)
        return fail(entry.line, "kernels." + entry.key, "is " + entry.value.shown(), "seconds a call, a FLOP and a byte, as [1e-6, 1e-11, 1e-10]",
                    "measure it with zprun bench --calibrate");
      cluster.kernels[entry.key] = {values[0], values[1], values[2]};
    }
  }

  void unknown(const fe::ConfigNode::Entry &entry) {
    std::vector<std::string> known = {"device", "link", "network", "kernels"};
    for (const NumberKey &key : kNumberKeys)
      known.emplace_back(key.name);
    std::vector<std::string> near = nearestNames(entry.key, known);
    fail(entry.line, entry.key, "is not a key of a cluster", near.empty() ? joinNames(known) : near[0], "mend the file", ErrorCode::UnknownKey);
  }

  const fe::ConfigDocument &document;
  rt::Cluster cluster;
  Status error;
};

} // namespace

std::optional<double> bytesNamed(const std::string &text) {
  static const std::pair<const char *, double> units[] = {{"", 1},         {"B", 1},        {"kB", 1e3},    {"KB", 1e3},
                                                          {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12},   {"KiB", 0x1p10},
                                                          {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
  const size_t digits = std::min(text.find_first_not_of("0123456789.eE+"), text.size());
  std::string unit = text.substr(std::min(text.find_first_not_of(' ', digits), text.size()));
  std::optional<double> number = numberOf(text.substr(0, digits));
  for (auto [name, factor] : units)
    if (number && unit == name && *number * factor >= 1 && *number * factor < kMost)
      return std::floor(*number * factor);
  return std::nullopt;
}

std::string *MachineFlags::find(const std::string &flag) {
  return flag == "--device" ? &device : flag == "--cluster" ? &clusterFile : flag == "--memory_budget" ? &memoryBudget : nullptr;
}

std::string machineHelp() {
  return "  --device NAME         " + joinNames(rt::deviceNames()) +
         "\n  --cluster FILE        a cluster.yaml (samples/clusters): device, devices_per_node, host_memory, links, ...\n"
         "  --memory_budget SIZE  of a device, as 38GiB; the process's reserve counts against it\n";
}

StatusOr<rt::Cluster> readCluster(const std::string &path) {
  ZP_ASSIGN_OR_RETURN(fe::ConfigDocument document, fe::ConfigDocument::readYaml(path));
  return ClusterReader(document).read();
}

StatusOr<rt::Cluster> machineOf(const MachineFlags &flags, const std::string &target) {
  if (!flags.device.empty() && !flags.clusterFile.empty())
    return Status(ErrorCode::Usage, "--device: is given beside --cluster, expected one of them; the file names its device");
  rt::Cluster cluster;
  if (!flags.clusterFile.empty()) {
    ZP_ASSIGN_OR_RETURN(cluster, readCluster(flags.clusterFile));
  } else {
    std::string name = !flags.device.empty() ? flags.device : target == "cpu" ? "cpu" : "a100-80gb";
    std::optional<rt::Cluster> row = rt::clusterOf(name);
    if (!row) {
      std::vector<std::string> names = rt::deviceNames(), near = nearestNames(name, names);
      // h100 without its memory, h200 with it
      auto begun = [&](const std::string &known) { return known.starts_with(name) || name.starts_with(known); };
      if (auto found = std::find_if(names.begin(), names.end(), begun); found != names.end())
        near = {*found};
      return Status(ErrorCode::Usage, "--device: is " + name + ", expected " + alternatives(rt::deviceNames()) +
                                          (near.empty() ? "; describe another in a cluster.yaml for --cluster" : "; did you mean " + near[0] + "?"));
    }
    cluster = *row;
    if (flags.device.empty())
      cluster.memory = 0;
  }
  if (!flags.memoryBudget.empty()) {
    std::optional<double> bytes = bytesNamed(flags.memoryBudget);
    if (!bytes)
      return Status(ErrorCode::Usage,
                    "--memory_budget: is '" + flags.memoryBudget + "', expected bytes, as 38GiB or 40e9; write --memory_budget SIZE");
    cluster.memory = *bytes;
  }
  if (!target.empty() && cluster.target != target)
    return Status(ErrorCode::Usage, "--device: " + cluster.device + " runs plans of target " + cluster.target + ", expected " + target +
                                        "; compile with --target " + cluster.target);
  return cluster;
}

Status checkRanks(const rt::Cluster &cluster, uint32_t ranks, const std::string &what) {
  if (cluster.nodes == 0 || cluster.nodesFor(ranks) <= cluster.nodes)
    return {};
  auto whole = [](double number) { return std::to_string(static_cast<uint64_t>(number)); };
  return Status(ErrorCode::Config, what + ": has " + std::to_string(ranks) + " ranks, expected at most the " +
                                       whole(cluster.nodes * cluster.devices_per_node) + " devices of the cluster, " + whole(cluster.nodes) +
                                       " nodes of " + whole(cluster.devices_per_node) + "; use fewer ranks or a larger cluster");
}

} // namespace zp
