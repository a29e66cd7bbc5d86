#include "compiler/tools/zpc/PlanSearch.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <set>
#include <tuple>

#include "compiler/Support/Targets.h"
#include "dialects/NN/IR/NNDialect.h"
#include "frontends/common/SettingsVerifier.h"
#include "runtime/plan/report/text_table.h"

using namespace mlir;

namespace zp {
namespace {

using Place = std::string JobSettings::*;
constexpr Place kPlaces[] = {&JobSettings::offload_param_device, &JobSettings::offload_optimizer_device,
                             &JobSettings::offload_activation_device};

struct Node {
  JobSettings settings;
  double bound; ///< no plan of these settings takes fewer seconds
  int moved;    ///< things offloaded: of equal bounds the simpler goes first
  bool operator<(const Node &other) const {
    return std::tie(other.bound, other.moved) < std::tie(bound, moved);
  } // a queue's top is its largest
};

class Search {
public:
  Search(ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster)
      : imported(imported), asked(settings), cluster(cluster) {
    if (!settings.nvme_path.empty())
      places.push_back("nvme");
    for (auto parameter : imported.getOps<nn::ParameterOp>())
      elements += static_cast<double>(cast<RankedTensorType>(parameter.getType()).getNumElements());
  }

  PlanSearch run(bool exhaustive) {
    for (JobSettings &root : roots())
      queue.push({std::move(root), 0, 0});
    result.combinations = queue.size();
    for (size_t i = 0; i < std::size(kPlaces); ++i)
      result.combinations *= places.size() + 1;
    while (!queue.empty()) {
      Node node = queue.top();
      queue.pop();
      if (!exhaustive && node.bound >= best)
        break;
      if (!seen.insert(keyOf(node.settings)).second)
        continue;
      Candidate candidate = tryOne(node.settings);
      if (candidate.fits())
        best = std::min(best, candidate.stepSeconds);
      if (exhaustive || !candidate.fits())
        expand(node, std::max(node.bound, candidate.stepSeconds));
      result.tried.push_back(std::move(candidate));
    }
    result.considered = seen.size();
    refine();
    // Of equally fast ones that which takes the least of the device.
    std::stable_sort(result.tried.begin(), result.tried.end(), [](const Candidate &a, const Candidate &b) {
      auto rank = [](const Candidate &c) { return std::make_tuple(!c.fits(), !c.simulated, c.stepSeconds, c.footprint.device); };
      return rank(a) < rank(b);
    });
    return std::move(result);
  }

private:
  /// Nothing offloaded: each stage (one where there is nothing to share) with each kind of recomputation that there is.
  std::vector<JobSettings> roots() const {
    std::vector<JobSettings> list;
    for (int64_t stage : asked.num_processes > 1 ? std::vector<int64_t>{0, 1, 2, 3} : std::vector<int64_t>{asked.zero_stage})
      for (const char *rematerialize : {"none", "selective", "block"}) {
        JobSettings root = asked;
        root.zero_stage = stage;
        root.rematerialize = rematerialize;
        root.rematerialize_blocks = -1;
        for (Place place : kPlaces)
          root.*place = "none";
        if (fe::verifySettings(root).ok())
          list.push_back(std::move(root));
      }
    return list;
  }

  static std::string keyOf(const JobSettings &settings) {
    std::string key = std::to_string(settings.zero_stage) + " " + settings.rematerialize;
    for (Place place : kPlaces)
      key += " " + settings.*place;
    return key;
  }

  /// Weights that stay on the device take so much at least: no need to compile a plan that they alone are too much for.
  double leastDeviceBytes(const JobSettings &settings) const {
    if (settings.offload_param_device != "none")
      return 0;
    const double bits = settings.use_4bit_quantization ? 4 : settings.bf16 || settings.fp16 ? 16 : 32;
    return elements * bits / 8 / static_cast<double>(settings.zero_stage == 3 ? settings.num_processes : 1);
  }

  Candidate tryOne(const JobSettings &settings) const {
    const double least = leastDeviceBytes(settings) + static_cast<double>(targetOf(imported).reserveBytes);
    if (cluster.memory <= 0 || least <= cluster.memory)
      return evaluate(imported, settings, cluster);
    Candidate candidate;
    candidate.settings = settings;
    candidate.excess = "device " + rt::humanBytes(static_cast<uint64_t>(least)) + " of weights and reserve alone of " +
                       rt::humanBytes(static_cast<uint64_t>(cluster.memory));
    return candidate;
  }

  /// What the fastest that fit leave of the memory: fewer blocks recomputed, also where something that moves out makes room for them,
  /// then gathers that start further ahead, until units stay from their forward to their backward pass.
  void refine() {
    constexpr size_t kRefined = 2;
    std::vector<Candidate> fitting;
    for (const Candidate &candidate : result.tried)
      if (candidate.fits())
        fitting.push_back(candidate);
    std::stable_sort(fitting.begin(), fitting.end(),
                     [](const Candidate &a, const Candidate &b) { return a.stepSeconds < b.stepSeconds; });
    for (size_t i = 0; i < std::min(kRefined, fitting.size()); ++i) {
      Candidate refined = fitting[i];
      auto improve = [&](const JobSettings &settings) {
        Candidate candidate = evaluate(imported, settings, cluster);
        const bool better = candidate.fits() && candidate.stepSeconds < refined.stepSeconds;
        if (better)
          refined = std::move(candidate);
        return better;
      };
      JobSettings settings = refined.settings;
      if (refined.settings.rematerialize != "none") {
        settings.rematerialize = "auto";
        improve(settings);
        // The search has not tried to move what fits as it is.
        for (Place place : kPlaces)
          if (settings.*place == "none")
            for (const std::string &where : places) {
              JobSettings moved = settings;
              moved.*place = where;
              improve(moved);
            }
      }
      do {
        settings = refined.settings;
        settings.prefetch_distance = 2 * std::max<int64_t>(settings.prefetch_distance, 1);
      } while (improve(settings));
      if (refined.stepSeconds < fitting[i].stepSeconds)
        result.tried.push_back(std::move(refined));
    }
  }

  void expand(const Node &node, double bound) {
    for (Place place : kPlaces)
      if (node.settings.*place == "none")
        for (const std::string &where : places) {
          Node child{node.settings, bound, node.moved + 1};
          child.settings.*place = where;
          queue.push(std::move(child));
        }
  }

  ModuleOp imported;
  const JobSettings &asked;
  const rt::Cluster &cluster;
  double elements = 0;
  std::vector<std::string> places = {"cpu"};
  std::priority_queue<Node> queue;
  std::set<std::string> seen;
  double best = std::numeric_limits<double>::infinity();
  PlanSearch result;
};

} // namespace

PlanSearch searchPlans(ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster, bool exhaustive) {
  return Search(imported, settings, cluster).run(exhaustive);
}

std::string nearestOf(const std::vector<Candidate> &tried, const JobSettings &settings) {
  const Candidate *nearest = nullptr;
  for (const Candidate &candidate : tried)
    if (candidate.simulated && (!nearest || candidate.footprint.device < nearest->footprint.device))
      nearest = &candidate;
  if (!nearest)
    return "none that compiles";
  const std::string flags = flagsOf(nearest->settings, settings);
  return (flags.empty() ? "the job as it is" : flags) + " with " + nearest->excess;
}

} // namespace zp
