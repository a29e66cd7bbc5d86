// What a rank exchanges with the others: how often, how many bytes, and of what the gathered bytes consist.
#ifndef ZP_RUNTIME_PLAN_REPORT_COLLECTIVES_REPORT_H
#define ZP_RUNTIME_PLAN_REPORT_COLLECTIVES_REPORT_H

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/plan/report/plan_index.h"

namespace zp::rt {

/// Of one kind of collective. `bytes`: of the whole tensor, as it is on a rank when it is gathered or before it is reduced.
/// `received`: what of it comes from other ranks, as `gathered_bytes` and `reduced_bytes` of zprun's summary count.
struct Traffic {
  uint64_t count = 0, bytes = 0, received = 0;
  void add(const Traffic &other, uint64_t times);
};

/// What all-gathers bring, by what the parameters are. Elements are the model's: a 4-bit plan and a bf16 plan of one model
/// gather the same elements in different bytes.
enum class Gathered : uint8_t { LinearCodes, LinearFloats, Embedding, Head, OtherFrozen, Trainable, NoSection };
inline constexpr size_t kGatheredKinds = 7;
struct GatheredPart {
  uint64_t bytes = 0;
  double elements = 0;
  void add(const GatheredPart &other, uint64_t times);
};

struct CollectiveSums {
  Traffic gathers, scatters, reduces;
  std::array<GatheredPart, kGatheredKinds> gathered{}; ///< adds up to gathers.bytes
  void add(const CollectiveSums &other, uint64_t times);
  GatheredPart &of(Gathered kind) { return gathered[static_cast<size_t>(kind)]; }
  const GatheredPart &of(Gathered kind) const { return gathered[static_cast<size_t>(kind)]; }
  /// In 4 bits or in floats: what quantisation changes.
  GatheredPart frozenLinears() const;
  GatheredPart all() const;
};

struct CollectivesReport {
  std::vector<CollectiveSums> entries;
  CollectiveSums update; ///< all micro-batches and the optimizer
};

CollectivesReport collectivesReport(const PlanIndex &index);
nlohmann::ordered_json collectivesJson(const PlanIndex &index, const CollectivesReport &report);
std::string collectivesText(const PlanIndex &index, const CollectivesReport &report);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_COLLECTIVES_REPORT_H
