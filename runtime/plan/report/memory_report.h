// What a plan takes of each memory space on one rank, and of what it consists where it is fullest.
//
// The peak of a space is what the runtime takes for it when it starts, byte for byte: the arena that `zprun --dry_run` names.
// Its fullest instruction is where the buffers that live add up to the most; every byte of the arena belongs to a kind there:
// that of the buffer that lives in it, or `working` where none does (what lies between buffers, and their alignment). So the
// kinds add up to the peak. What the process takes beside the plan, the reserve, is never part of it.
#ifndef ZP_RUNTIME_PLAN_REPORT_MEMORY_REPORT_H
#define ZP_RUNTIME_PLAN_REPORT_MEMORY_REPORT_H

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/plan/report/lives.h"
#include "runtime/plan/report/plan_index.h"
#include "runtime/plan/tier_names.h"

namespace zp::rt {

inline constexpr size_t kKinds = static_cast<size_t>(fbs::BufferKind::MAX) + 1;
inline constexpr size_t kTiers = static_cast<size_t>(fbs::Tier::MAX) + 1;
using BytesByKind = std::array<uint64_t, kKinds>;

/// A buffer that lives at the fullest instruction; persistent ones from before the entry to after it.
struct LivingBuffer {
  uint32_t buffer;
  bool persistent;
  uint32_t first, last; ///< instructions of the entry, of transient ones
};

struct SpaceReport {
  uint64_t arenaBytes = 0;                         ///< the peak
  uint64_t liveBytes = 0;                          ///< the most that lives at one instruction
  uint32_t entry = kAbsent, instruction = kAbsent; ///< where; absent when nothing ever lives
  BytesByKind persistent{}, transient{};           ///< of liveBytes
  std::vector<uint64_t> mostByEntry;               ///< the most that lives in each entry
  std::vector<LivingBuffer> living;                ///< largest first

  uint64_t between() const { return arenaBytes - liveBytes; }
  BytesByKind byKind() const; ///< adds up to arenaBytes
};

struct MemoryReport {
  std::array<SpaceReport, kTiers> spaces; ///< by tier
  /// Live bytes of the device (the first space that is not empty, without one) over the instructions of its fullest entry.
  fbs::Tier timelineTier = fbs::Tier::Device;
  uint64_t timelinePersistent = 0;
  std::vector<uint64_t> timeline;
};

MemoryReport memoryReport(const PlanIndex &index);

/// `{"spaces": {"device": {"peak_bytes", "at", "by_kind"}, "pinned", "host", "nvme"}, "ranks", "target"}`.
nlohmann::ordered_json memoryJson(const PlanIndex &index, const MemoryReport &report);
std::string memoryText(const PlanIndex &index, const MemoryReport &report);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_MEMORY_REPORT_H
