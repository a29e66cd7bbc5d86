// Shadow mode's care for buffers: worthless bytes before their first use in an entry and after their last, and a named
// error instead of a bare crash where a kernel leaves its buffer.
#ifndef ZP_RUNTIME_EXECUTOR_SHADOW_RUN_H
#define ZP_RUNTIME_EXECUTOR_SHADOW_RUN_H

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/memory/plan_memory.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// Which buffers an entry uses, and how often: computed once. A life ends with the last use, whatever order the streams take.
class ShadowLives {
public:
  ShadowLives(const fbs::Plan &plan, const fbs::Entry &entry);
  /// Poisons what nobody has written before the entry begins.
  void begin(PlanMemory &memory);
  /// Instruction `index` is over: poisons the buffers whose last use it was. Any thread.
  void end(uint32_t index, PlanMemory &memory);

private:
  std::vector<uint32_t> atStart;
  std::vector<std::vector<uint32_t>> used; // by instruction: the buffers that it uses and that end within the entry
  std::vector<uint32_t> uses;              // by buffer
  std::vector<std::atomic<uint32_t>> left; // by buffer, in this run
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
