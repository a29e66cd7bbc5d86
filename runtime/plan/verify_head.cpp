#include <set>
#include <string_view>

#include "runtime/plan/plan_checker.h"

namespace zp::rt {

static bool isSetting(std::string_view name) {
#define ZP_SETTING(setting, kind, initial, doc)                                                                                                      \
  if (name == #setting)                                                                                                                              \
    return true;
#include "runtime/schema/settings.inc"
#undef ZP_SETTING
  return false;
}

static bool isTarget(std::string_view name) {
#define ZP_TARGET(target, reserve, workspace, panel, attention, logits, engines)                                                                     \
  if (name == target)                                                                                                                                \
    return true;
#include "runtime/schema/targets.inc"
#undef ZP_TARGET
  return false;
}

Status PlanChecker::verifyHead() const {
  if (plan.ranks() < 1 || plan.ranks() > kMostRanks)
    return fail("ranks", "is " + std::to_string(plan.ranks()) + ", expected 1 to " + std::to_string(kMostRanks));
  if (!plan.target() || !isTarget(plan.target()->string_view()))
    return fail("target", "is \"" + (plan.target() ? plan.target()->str() : "") + "\", expected a target of this build");
  if (!plan.settings())
    return fail("settings", "is missing, expected a list");
  std::set<std::string_view> seen;
  for (flatbuffers::uoffset_t i = 0; i < plan.settings()->size(); ++i) {
    const fbs::Setting &setting = *plan.settings()->Get(i);
    std::string place = indexed("settings", i);
    if (!setting.name() || !setting.value())
      return fail(place, "has no name or no value, expected both");
    if (!isSetting(setting.name()->string_view()))
      return fail(place, "\"" + setting.name()->str() + "\" is not a setting of this build, expected a name of settings.inc");
    if (!seen.insert(setting.name()->string_view()).second)
      return fail(place, "\"" + setting.name()->str() + "\" is given twice, expected once");
  }
  if (!plan.adapter_config())
    return fail("adapter_config", "is missing, expected text, empty for a full-parameter run");
  if (!plan.model_config())
    return fail("model_config", "is missing, expected the text of config.json");
  if (plan.vocab_size() < 1 || plan.vocab_size() > (1u << 30))
    return fail("vocab_size", "is " + std::to_string(plan.vocab_size()) + ", expected 1 to 2^30");
  if (plan.reserve_bytes() > kLargestBytes)
    return fail("reserve_bytes", "is " + std::to_string(plan.reserve_bytes()) + ", expected at most 2^50");
  if (plan.streams() < 1 || plan.streams() > kMostStreams)
    return fail("streams", "is " + std::to_string(plan.streams()) + ", expected 1 to " + std::to_string(kMostStreams));
  if (plan.events() > (1u << 22))
    return fail("events", "is " + std::to_string(plan.events()) + ", expected at most 2^22");
  return {};
}

} // namespace zp::rt
