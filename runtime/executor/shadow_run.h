// Shadow mode's care for buffers: worthless bytes before their first use in an entry and after their last, and a named
// error instead of a bare crash where a kernel leaves its buffer.
#ifndef ZP_RUNTIME_EXECUTOR_SHADOW_RUN_H
#define ZP_RUNTIME_EXECUTOR_SHADOW_RUN_H

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/memory/plan_memory.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// Which buffers an entry uses, and when: computed once.
class ShadowLives {
public:
  ShadowLives(const fbs::Plan &plan, const fbs::Entry &entry);
  /// Buffers to poison before the entry's first instruction, and after instruction `index`.
  const std::vector<uint32_t> &before() const { return atStart; }
  const std::vector<uint32_t> &after(uint32_t index) const { return endingAt[index]; }

private:
  std::vector<uint32_t> atStart;
  std::vector<std::vector<uint32_t>> endingAt;
};

/// While it lives, a memory fault of this process is reported as the step named last. One at a time in a process.
class FaultReport {
public:
  explicit FaultReport(const PlanMemory &memory);
  ~FaultReport();
  void entering(const std::string *place);
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_SHADOW_RUN_H
