#include "runtime/plan/simulate/simulate_report.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "runtime/plan/report/text_table.h"
#include "runtime/plan/simulate/budget.h"

namespace zp::rt {
namespace {

/// Seconds of an update by instruction, as they lie on their streams.
std::map<std::string, double> secondsByKind(const PlanIndex &index, const Simulation &simulation) {
  std::map<std::string, double> seconds;
  for (const EntryTimeline &timeline : simulation.entries)
    for (const Slice &slice : timeline.slices) {
      const fbs::Instruction &instruction = *index.plan.entries()->Get(timeline.entry)->instructions()->Get(slice.instruction);
      seconds[findSignature(instruction.op_type())->name] += static_cast<double>(timeline.times) * slice.seconds;
    }
  return seconds;
}

std::string humanSeconds(double seconds) {
  if (seconds >= 0.9995)
    return fixed(seconds, seconds >= 99.95 ? 0 : 2) + " s";
  return seconds >= 0.9995e-3 ? fixed(seconds * 1e3, 1) + " ms" : fixed(seconds * 1e6, 1) + " us";
}

} // namespace

std::string simulationJson(const Cluster &cluster, const PlanIndex &index, const Simulation &simulation) {
  nlohmann::ordered_json by = nlohmann::ordered_json::object(), entries = nlohmann::ordered_json::object();
  for (size_t r = 0; r < kResources; ++r)
    if (simulation.secondsBy[r] > 0)
      by[nameOf(static_cast<Resource>(r))] = simulation.secondsBy[r];
  for (const EntryTimeline &timeline : simulation.entries)
    entries[index.entryNames[timeline.entry]] = {{"times", timeline.times}, {"seconds", timeline.seconds}};
  const Footprint footprint = footprintOf(index.plan, cluster);
  const std::string excess = excessOf(footprint, cluster);
  const nlohmann::ordered_json json = {{"step_seconds", simulation.stepSeconds},
                                       {"tokens_per_second", simulation.tokensPerSecond()},
                                       {"exposed_communication_seconds", simulation.exposedSeconds()},
                                       {"bottleneck", nameOf(simulation.bottleneck())},
                                       {"seconds_by_resource", by},
                                       {"seconds_by_kind", secondsByKind(index, simulation)},
                                       {"entries", entries},
                                       {"device", cluster.device},
                                       {"ranks", index.plan.ranks()},
                                       {"nodes", cluster.nodesFor(index.plan.ranks())},
                                       {"fits", excess.empty()},
                                       {"excess", excess}};
  return json.dump(2) + "\n";
}

std::string simulationText(const Cluster &cluster, const PlanIndex &index, const Simulation &simulation) {
  const uint32_t ranks = index.plan.ranks(), nodes = cluster.nodesFor(ranks);
  auto share = [&](double seconds) { return percent(seconds, simulation.stepSeconds); };
  std::string text = "one update on " + digits(ranks) + " x " + cluster.device + (nodes > 1 ? ", " + digits(nodes) + " nodes" : "") + ": " +
                     humanSeconds(simulation.stepSeconds) + ", " + fixed(simulation.tokensPerSecond(), 1) + " tokens/s\n" +
                     "exposed communication: " + humanSeconds(simulation.exposedSeconds()) + " (" + share(simulation.exposedSeconds()) + ")\n" +
                     "bottleneck: " + nameOf(simulation.bottleneck()) + "\n";
  if (std::string excess = excessOf(footprintOf(index.plan, cluster), cluster); !excess.empty())
    text += "does not fit: " + excess + "\n";
  TextTable entries("lrrr");
  entries.row({"entry", "times", "each", "share"});
  for (const EntryTimeline &timeline : simulation.entries)
    entries.row({index.entryNames[timeline.entry], digits(timeline.times), humanSeconds(timeline.seconds),
                 share(static_cast<double>(timeline.times) * timeline.seconds)});
  TextTable resources("lrr");
  resources.row({"goes to", "seconds", "share"});
  for (size_t r = 0; r < kResources; ++r)
    if (simulation.secondsBy[r] > 0)
      resources.row({nameOf(static_cast<Resource>(r)), humanSeconds(simulation.secondsBy[r]), share(simulation.secondsBy[r])});
  const std::map<std::string, double> kinds = secondsByKind(index, simulation);
  std::vector<std::pair<double, std::string>> longest;
  for (const auto &[name, seconds] : kinds)
    longest.emplace_back(seconds, name);
  std::sort(longest.rbegin(), longest.rend());
  TextTable instructions("lrr");
  instructions.row({"instruction", "seconds", "share"});
  for (const auto &[seconds, name] : longest)
    instructions.row({name, humanSeconds(seconds), share(seconds)});
  return text + "\n" + entries.print() + "\n" + resources.print() + "\n" + instructions.print();
}

} // namespace zp::rt
