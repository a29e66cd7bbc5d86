// What users call the tiers of memory.
#ifndef ZP_RUNTIME_PLAN_TIER_NAMES_H
#define ZP_RUNTIME_PLAN_TIER_NAMES_H

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

inline const char *nameOf(fbs::Tier tier) {
  switch (tier) {
  case fbs::Tier::Device:
    return "device";
  case fbs::Tier::Pinned:
    return "pinned";
  case fbs::Tier::Host:
    return "host";
  case fbs::Tier::Disk:
    return "nvme";
  }
  return "?";
}

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_TIER_NAMES_H
