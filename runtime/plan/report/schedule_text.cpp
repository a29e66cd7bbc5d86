// `zpc explain --schedule` for people: a line a collective, on one line those that are alike, as layers are.
#include <algorithm>
#include <map>
#include <tuple>

#include "runtime/plan/report/schedule_report.h"
#include "runtime/plan/report/text_table.h"

namespace zp::rt {
namespace {

const char *opOf(const PlanIndex &index, uint32_t entry, uint32_t instruction) {
  return findSignature(index.plan.entries()->Get(entry)->instructions()->Get(instruction)->op_type())->name;
}

/// "all_gather: 19, 17 of them ahead by 12 to 41 kernels (median 38), 2 awaited at once"
std::string summaryOf(const PlanIndex &index, uint32_t entry, const EntrySchedule &schedule) {
  std::map<std::string, std::vector<const Flight *>> byOp;
  for (const Flight &flight : schedule.flights)
    byOp[opOf(index, entry, flight.instruction)].push_back(&flight);
  std::string text;
  for (const auto &[op, flights] : byOp) {
    std::vector<uint32_t> ahead;
    for (const Flight *flight : flights)
      if (flight->kernels > 0)
        ahead.push_back(flight->kernels);
    std::sort(ahead.begin(), ahead.end());
    text += "  " + op + ": " + digits(flights.size());
    if (!ahead.empty())
      text += ", " + digits(ahead.size()) + " with " + digits(ahead.front()) + " to " + digits(ahead.back()) + " kernels beside them (median " +
              digits(ahead[ahead.size() / 2]) + ")";
    if (flights.size() > ahead.size())
      text += ", " + digits(flights.size() - ahead.size()) + " awaited at once";
    text += "\n";
  }
  return text;
}

std::string flightsOf(const PlanIndex &index, uint32_t entry, const EntrySchedule &schedule) {
  TextTable table("rlllrrrr");
  table.row({"at", "stream", "collective", "of", "", "instructions", "kernels", "FLOPs"});
  struct Alike {
    const Flight *first, *last;
    size_t count;
  };
  std::vector<Alike> groups;
  std::map<std::tuple<std::string, uint64_t, uint32_t, uint32_t, double>, size_t> found;
  for (const Flight &flight : schedule.flights) {
    std::string kind = flight.what.substr(flight.what.find('.') + 1); // "frozen" of "unit3.frozen"
    auto key = std::tuple(opOf(index, entry, flight.instruction) + kind, flight.bytes, flight.instructions, flight.kernels, flight.operations);
    auto [group, fresh] = found.try_emplace(key, groups.size());
    if (fresh)
      groups.push_back({&flight, &flight, 0});
    groups[group->second].last = &flight;
    ++groups[group->second].count;
  }
  for (const Alike &group : groups) {
    const Flight &flight = *group.first;
    std::string what = flight.what + (group.count > 1 ? " to " + group.last->what + ", " + digits(group.count) + " alike" : "");
    uint32_t stream = index.plan.entries()->Get(entry)->instructions()->Get(flight.instruction)->stream();
    table.row({digits(flight.instruction), "s" + digits(stream), opOf(index, entry, flight.instruction), what, humanBytes(flight.bytes),
               digits(flight.instructions), digits(flight.kernels), flight.operations > 0 ? humanCount(flight.operations) : "0"});
  }
  return table.print();
}

} // namespace

std::string scheduleText(const PlanIndex &index, const ScheduleReport &report) {
  std::string text = digits(index.plan.streams()) + " streams, " + digits(index.plan.events()) + " events\n";
  for (uint32_t e = 0; e < report.entries.size(); ++e) {
    const EntrySchedule &schedule = report.entries[e];
    text += "\n" + index.entryNames[e] + ": ";
    for (size_t s = 0; s < schedule.instructionsByStream.size(); ++s)
      text += (s ? ", " : "") + digits(schedule.instructionsByStream[s]) + " instructions on stream " + digits(s);
    text += ", " + digits(schedule.events) + " events\n";
    if (schedule.flights.empty())
      continue;
    text += summaryOf(index, e, schedule);
    text += flightsOf(index, e, schedule);
  }
  text += "\n  instructions, kernels, FLOPs: of stream 0 between a collective's start and the wait for it\n";
  return text;
}

} // namespace zp::rt
