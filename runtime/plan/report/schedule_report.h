// How far ahead of their use collectives start, as the plan's list has it.
#ifndef ZP_RUNTIME_PLAN_REPORT_SCHEDULE_REPORT_H
#define ZP_RUNTIME_PLAN_REPORT_SCHEDULE_REPORT_H

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/plan/report/plan_index.h"

namespace zp::rt {

/// One collective of an entry. Distances are between its start and the wait of stream 0 for it, both excluded: what may run
/// meanwhile. A collective on stream 0 has none.
struct Flight {
  uint32_t instruction;
  uint32_t awaited;          ///< the wait; the instruction itself on stream 0, the number of instructions at the entry's end
  uint32_t instructions = 0; ///< of stream 0, events not counted
  uint32_t kernels = 0;      ///< of them, those of the device
  double operations = 0;     ///< floating point, of those kernels
  std::string what;          ///< "unit3.frozen", or the buffer's name
  uint64_t bytes = 0;        ///< of the whole tensor
};

struct EntrySchedule {
  std::vector<uint32_t> instructionsByStream;
  uint32_t events = 0;
  std::vector<Flight> flights; ///< in the list's order
};

struct ScheduleReport {
  std::vector<EntrySchedule> entries;
};

ScheduleReport scheduleReport(const PlanIndex &index);
nlohmann::ordered_json scheduleJson(const PlanIndex &index, const ScheduleReport &report);
std::string scheduleText(const PlanIndex &index, const ScheduleReport &report);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_SCHEDULE_REPORT_H
