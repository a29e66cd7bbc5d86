#include "compiler/tools/zpc/Refusal.h"

#include <algorithm>

#include "compiler/tools/zpc/Candidate.h"
#include "runtime/base/names.h"
#include "runtime/plan/report/memory_report.h"
#include "runtime/plan/report/text_table.h"

namespace zp {
namespace {

using Change = std::pair<std::string JobSettings::*, const char *>;

/// A plan that generates: fewer prompts at once, then one of them with fewer and fewer beams; weights elsewhere.
std::vector<JobSettings> generatingNeighboursOf(const JobSettings &settings) {
  std::vector<JobSettings> list;
  auto add = [&](auto change) {
    list.push_back(settings);
    change(list.back());
  };
  if (settings.dequant_cache_bytes > 0)
    add([](JobSettings &s) { s.dequant_cache_bytes = 0; });
  if (settings.generation_batch_size > 1)
    add([](JobSettings &s) { s.generation_batch_size = 1; });
  for (int64_t beams = settings.num_beams / 2; beams >= 1; beams /= 2)
    add([&](JobSettings &s) { s.generation_batch_size = 1, s.num_beams = beams; });
  if (settings.offload_param_device == "none")
    add([](JobSettings &s) { s.offload_param_device = "cpu"; });
  if (settings.zero_stage < 3 && settings.num_processes > 1)
    add([](JobSettings &s) { s.zero_stage = 3; });
  return list;
}

/// One step further at a time, then all of them: what a user would try, in that order.
std::vector<JobSettings> neighboursOf(const JobSettings &settings) {
  static const Change changes[] = {{&JobSettings::rematerialize, "block"},
                                   {&JobSettings::offload_activation_device, "cpu"},
                                   {&JobSettings::offload_optimizer_device, "cpu"},
                                   {&JobSettings::offload_param_device, "cpu"}};
  if (settings.generate)
    return generatingNeighboursOf(settings);
  std::vector<JobSettings> list;
  JobSettings all = settings;
  if (settings.dequant_cache_bytes > 0) {
    list.push_back(settings);
    list.back().dequant_cache_bytes = all.dequant_cache_bytes = 0;
  }
  for (auto [field, value] : changes)
    if (settings.*field == "none") {
      list.push_back(settings);
      list.back().*field = value;
      all.*field = value;
    }
  if (settings.zero_stage < 3 && settings.num_processes > 1) {
    list.push_back(settings);
    list.back().zero_stage = all.zero_stage = 3;
  }
  if (list.size() > 1)
    list.push_back(all);
  return list;
}

/// "weights 13.4 GB, gathered 2.10 GB": of the device's peak, largest first.
std::string kindsOf(const fbs::Plan &plan) {
  rt::PlanIndex index(plan);
  const rt::MemoryReport report = rt::memoryReport(index);
  const rt::BytesByKind kinds = report.spaces[static_cast<size_t>(fbs::Tier::Device)].byKind();
  std::vector<std::pair<uint64_t, std::string>> order;
  for (size_t kind = 0; kind < rt::kKinds; ++kind)
    if (kinds[kind] > 0)
      order.emplace_back(kinds[kind], snakeCase(fbs::EnumNameBufferKind(static_cast<fbs::BufferKind>(kind))));
  std::sort(order.rbegin(), order.rend());
  std::string text;
  for (const auto &[bytes, name] : order)
    text += (text.empty() ? "" : ", ") + name + " " + rt::humanBytes(bytes);
  return text;
}

} // namespace

Status refuseExcess(const rt::PlanFile &plan, const rt::Cluster &cluster, mlir::ModuleOp imported, const JobSettings &settings,
                    const std::string &input) {
  const std::string excess = rt::excessOf(rt::footprintOf(plan.plan(), cluster), cluster);
  if (excess.empty())
    return {};
  std::string fitting, least;
  uint64_t leastBytes = ~uint64_t{0};
  if (imported)
    for (const JobSettings &neighbour : neighboursOf(settings)) {
      const Candidate other = evaluate(imported, neighbour, cluster);
      if (!other.simulated)
        continue;
      const std::string words = flagsOf(neighbour, settings) + " (device " + rt::humanBytes(other.footprint.device) + ", host " +
                                rt::humanBytes(other.footprint.host) + " a node, " + rt::fixed(other.tokensPerSecond, 0) + " tokens/s)";
      if (other.fits()) {
        fitting += (fitting.empty() ? "" : ", or ") + words;
      } else if (other.footprint.device < leastBytes) {
        leastBytes = other.footprint.device;
        least = words;
      }
    }
  std::string fix = "use fewer rows, shorter ones, more ranks or a larger device";
  if (!fitting.empty())
    fix = "import again with " + fitting + ", or let --fit choose";
  else if (!least.empty())
    fix += "; nearest is " + least;
  return Status(ErrorCode::Budget, input + ": does not fit: " + excess + " (" + kindsOf(plan.plan()) + "), expected a plan within " + cluster.device +
                                       "'s memory; " + fix);
}

} // namespace zp
