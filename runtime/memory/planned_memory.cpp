#include <array>

#include "runtime/base/checked_math.h"
#include "runtime/memory/host_memory.h"
#include "runtime/memory/mapping.h"
#include "runtime/memory/plan_memory.h"

namespace zp::rt {
namespace {

constexpr size_t kTiers = static_cast<size_t>(fbs::Tier::MAX) + 1;

class PlannedMemory : public PlanMemory {
public:
  PlannedMemory(const fbs::Plan &plan, std::array<Mapping, kTiers> arenas, DiskArena file)
      : plan(plan), arenas(std::move(arenas)), file(std::move(file)) {}

  uint8_t *buffer(uint32_t index) const override {
    const fbs::Buffer &buffer = *plan.buffers()->Get(index);
    uint8_t *arena = arenas[static_cast<size_t>(buffer.tier())].data();
    return arena ? arena + buffer.offset() : nullptr;
  }
  const DiskArena *disk() const override { return &file; }
  void poison(uint32_t) override {}
  std::string locate(const void *) const override { return {}; }

private:
  const fbs::Plan &plan;
  std::array<Mapping, kTiers> arenas;
  DiskArena file;
};

} // namespace

StatusOr<std::unique_ptr<PlanMemory>> allocatePlanned(const fbs::Plan &plan, int ranksHere, const std::string &diskDirectory) {
  uint64_t needed = plan.reserve_bytes();
  for (const fbs::Space *space : *plan.spaces())
    needed += space->tier() == fbs::Tier::Disk ? 0 : space->bytes();
  uint64_t limit = hostMemoryLimit();
  if (needed > limit / static_cast<uint64_t>(ranksHere))
    return Status(ErrorCode::HostMemory, "memory: the plan needs " + std::to_string(needed) + " bytes on each of " + std::to_string(ranksHere) +
                                             " ranks of this machine, expected at most its " + std::to_string(limit) +
                                             " bytes in all; use more machines, a smaller batch, or --rematerialize block");
  std::array<Mapping, kTiers> arenas;
  DiskArena file;
  for (const fbs::Space *space : *plan.spaces()) {
    if (space->tier() == fbs::Tier::Disk && space->bytes() > 0) {
      ZP_ASSIGN_OR_RETURN(file, DiskArena::create(diskDirectory, space->bytes()));
      continue;
    }
    ZP_ASSIGN_OR_RETURN(Mapping arena, Mapping::create(space->bytes(), std::string("memory: space ") + fbs::EnumNameTier(space->tier())));
    arenas[static_cast<size_t>(space->tier())] = std::move(arena);
  }
  return std::unique_ptr<PlanMemory>(std::make_unique<PlannedMemory>(plan, std::move(arenas), std::move(file)));
}

} // namespace zp::rt
