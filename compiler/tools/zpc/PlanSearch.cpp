#include "compiler/tools/zpc/PlanSearch.h"

#include <algorithm>
#include <limits>
#include <map>
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
constexpr Place kPlaces[] = {&JobSettings::offload_param_device, &JobSettings::offload_optimizer_device, &JobSettings::offload_activation_device};

// What latency costs in all, as a share of an update, below which buckets aren't tried.
constexpr double kLatencyWorthSaving = 0.005;

struct Node {
  JobSettings settings;
  double bound;                                            ///< no plan of these settings takes fewer seconds, nor one of theirs with buckets
  int moved;                                               ///< things changed: of equal bounds the simpler goes first
  double before = std::numeric_limits<double>::infinity(); ///< what smaller buckets took
  std::vector<int64_t> larger{};                           ///< buckets that may come after these
  bool operator<(const Node &other) const { return std::tie(other.bound, other.moved) < std::tie(bound, moved); } // a queue's top is its largest
};

class Search {
public:
  Search(ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster) : imported(imported), asked(settings), cluster(cluster) {
    if (!settings.nvme_path.empty())
      places.push_back("nvme");
    for (auto parameter : imported.getOps<nn::ParameterOp>())
      elements += static_cast<double>(cast<RankedTensorType>(parameter.getType()).getNumElements());
  }

  PlanSearch run(bool exhaustive) {
    const std::vector<JobSettings> beginnings = roots();
    for (const JobSettings &root : beginnings)
      queue.push({root, 0, root.reduce_gradients == "step" ? 1 : 0});
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
      if (node.settings.reduce_bucket_size == 0) {
        node.larger = bucketsFor(candidate);
        buckets[node.settings.zero_stage] = std::max(buckets[node.settings.zero_stage], node.larger.size());
        if (exhaustive || !candidate.fits())
          expand(node, candidate);
      }
      if (exhaustive || (candidate.fits() && candidate.stepSeconds < node.before))
        enlarge(node, candidate, exhaustive);
      result.tried.push_back(std::move(candidate));
    }
    result.considered = seen.size();
    const size_t choices = places.size() + 1; // of each thing that may move; what moves with its parameters has no buckets
    for (const JobSettings &root : beginnings)
      result.combinations += choices * choices * (choices + buckets[root.zero_stage]);
    refine();
    // Of equally fast ones that which takes the least of the device.
    std::stable_sort(result.tried.begin(), result.tried.end(), [](const Candidate &a, const Candidate &b) {
      auto rank = [](const Candidate &c) { return std::make_tuple(!c.fits(), !c.simulated, c.stepSeconds, c.footprint.device); };
      return rank(a) < rank(b);
    });
    return std::move(result);
  }

private:
  /// Nothing offloaded: each stage (one where there is nothing to share) with each kind of recomputation that there is, and each way to
  /// reduce: stages 0 and 1 do it once an update, stage 2 would be stage 1 if it did.
  std::vector<JobSettings> roots() const {
    using Way = std::pair<int64_t, const char *>;
    std::vector<Way> ways = {{asked.zero_stage, "micro_batch"}};
    if (asked.num_processes > 1)
      ways = {{0, "micro_batch"}, {1, "micro_batch"}, {2, "micro_batch"}, {3, "micro_batch"}};
    if (asked.num_processes > 1 && asked.gradient_accumulation_steps > 1)
      ways.emplace_back(3, "step");
    std::vector<JobSettings> list;
    for (auto [stage, reduce] : ways)
      for (const char *rematerialize : {"none", "selective", "block"}) {
        JobSettings root = asked;
        root.zero_stage = stage;
        root.reduce_gradients = reduce;
        root.reduce_bucket_size = 0;
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
    std::string key = std::to_string(settings.zero_stage) + " " + settings.rematerialize + " " + settings.reduce_gradients + " " +
                      std::to_string(settings.reduce_bucket_size);
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

  Candidate tryOne(const JobSettings &settings) {
    const double least = leastDeviceBytes(settings) + static_cast<double>(targetOf(imported).reserveBytes);
    if (cluster.memory <= 0 || least <= cluster.memory)
      return evaluate(imported, settings, cluster, &fused);
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
    std::stable_sort(fitting.begin(), fitting.end(), [](const Candidate &a, const Candidate &b) { return a.stepSeconds < b.stepSeconds; });
    for (size_t i = 0; i < std::min(kRefined, fitting.size()); ++i) {
      Candidate refined = fitting[i];
      auto improve = [&](const JobSettings &settings) {
        Candidate candidate = evaluate(imported, settings, cluster, &fused);
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

  /// One thing more offloaded.
  void expand(const Node &node, const Candidate &candidate) {
    for (Place place : kPlaces)
      if (node.settings.*place == "none")
        for (const std::string &where : places) {
          const bool bundles = !node.larger.empty() && place != &JobSettings::offload_param_device;
          Node child{node.settings, std::max(node.bound, bundles ? candidate.withoutLatency : candidate.stepSeconds), node.moved + 1};
          child.settings.*place = where;
          queue.push(std::move(child));
        }
  }

  /// Buckets that join sections at all: of a sixteenth, a quarter and all of what every rank keeps whole.
  std::vector<int64_t> bucketsFor(const Candidate &candidate) const {
    std::vector<int64_t> sizes;
    if (asked.num_processes > 1 && !asked.generate && candidate.settings.offload_param_device == "none")
      for (int64_t parts : {16, 4, 1})
        if (candidate.wholeSections >= 2 * parts)
          sizes.push_back((candidate.wholeElements + parts - 1) / parts);
    return sizes;
  }

  /// The next larger buckets: fewer collectives that start later and take more memory.
  void enlarge(const Node &node, const Candidate &candidate, bool always) {
    const bool worthwhile = candidate.stepSeconds - candidate.withoutLatency > kLatencyWorthSaving * candidate.stepSeconds;
    if (node.larger.empty() || !(always || worthwhile))
      return;
    Node child{node.settings,
               std::max(node.bound, candidate.withoutLatency),
               node.moved + 1,
               candidate.stepSeconds,
               {node.larger.begin() + 1, node.larger.end()}};
    child.settings.reduce_bucket_size = node.larger.front();
    queue.push(std::move(child));
  }

  ModuleOp imported;
  const JobSettings &asked;
  const rt::Cluster &cluster;
  FusedModules fused; // one a kind of recomputation
  double elements = 0;
  std::vector<std::string> places = {"cpu"};
  std::priority_queue<Node> queue;
  std::set<std::string> seen;
  std::map<int64_t, size_t> buckets; // sizes that were found for a stage
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
