#include <cstring>
#include <vector>

#include "runtime/base/checked_math.h"
#include "runtime/memory/mapping.h"
#include "runtime/memory/plan_memory.h"

namespace zp::rt {
namespace {

constexpr int kPoison = 0xff;
constexpr uint64_t kAlignment = 64;

class ShadowMemory : public PlanMemory {
public:
  explicit ShadowMemory(const fbs::Plan &plan) : plan(plan) {}

  Status allocate() {
    for (uint32_t i = 0; i < plan.buffers()->size(); ++i) {
      const fbs::Buffer &buffer = *plan.buffers()->Get(i);
      uint64_t inner = alignUp(buffer.bytes(), kPageBytes), padded = alignUp(buffer.bytes(), kAlignment);
      ZP_ASSIGN_OR_RETURN(Mapping mapping, Mapping::create(inner + 2 * kPageBytes, "memory: shadow of buffer " + buffer.name()->str()));
      ZP_RETURN_IF_ERROR(mapping.protect(0, kPageBytes));
      ZP_RETURN_IF_ERROR(mapping.protect(kPageBytes + inner, kPageBytes));
      // The end lies against the guard, to within the alignment.
      begins.push_back(mapping.data() + kPageBytes + inner - padded);
      if (!buffer.persistent())
        std::memset(mapping.data() + kPageBytes, kPoison, inner);
      mappings.push_back(std::move(mapping));
    }
    return {};
  }

  uint8_t *buffer(uint32_t index) const override { return begins[index]; }
  void poison(uint32_t index) override { std::memset(begins[index], kPoison, plan.buffers()->Get(index)->bytes()); }

  std::string locate(const void *address) const override {
    auto at = static_cast<const uint8_t *>(address);
    for (uint32_t i = 0; i < begins.size(); ++i)
      if (at >= mappings[i].data() && at < mappings[i].data() + mappings[i].bytes()) {
        int64_t offset = at - begins[i];
        auto bytes = static_cast<int64_t>(plan.buffers()->Get(i)->bytes());
        std::string name = plan.buffers()->Get(i)->name()->str();
        if (offset < 0)
          return std::to_string(-offset) + " bytes before buffer " + name;
        return offset >= bytes ? std::to_string(offset - bytes) + " bytes past the end of buffer " + name : "inside buffer " + name;
      }
    return {};
  }

private:
  const fbs::Plan &plan;
  std::vector<Mapping> mappings;
  std::vector<uint8_t *> begins;
};

} // namespace

StatusOr<std::unique_ptr<PlanMemory>> allocateShadow(const fbs::Plan &plan) {
  auto memory = std::make_unique<ShadowMemory>(plan);
  ZP_RETURN_IF_ERROR(memory->allocate());
  return std::unique_ptr<PlanMemory>(std::move(memory));
}

} // namespace zp::rt
