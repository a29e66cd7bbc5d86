#include "runtime/plan/report/explain_page.h"

#include <map>
#include <nlohmann/json.hpp>

#include "runtime/base/atomic_file.h"
#include "runtime/base/names.h"
#include "runtime/plan/report/memory_report.h"
#include "runtime/plan/report/schedule_report.h"

namespace zp::rt {
namespace {

using Json = nlohmann::ordered_json;

const char *const kPage =
#include "runtime/plan/report/explain_page.inc"
    ;

Json buffersOf(const fbs::Plan &plan) {
  Json list = Json::array();
  for (const fbs::Buffer *buffer : *plan.buffers())
    list.push_back({buffer->name()->str(), static_cast<int>(buffer->kind()), static_cast<int>(buffer->tier()), buffer->offset(), buffer->bytes(),
                    buffer->persistent()});
  return list;
}

/// Rows of numbers: the page reads them by position, so that a plan of 80 layers stays a page of a few megabytes.
Json entryOf(const PlanIndex &index, uint32_t which, const EntrySchedule &schedule, std::map<std::string, size_t> &ops) {
  const fbs::Entry &entry = *index.plan.entries()->Get(which);
  Json opList = Json::array(), streams = Json::array(), lives = Json::array(), flights = Json::array();
  for (const fbs::Instruction *instruction : *entry.instructions()) {
    opList.push_back(ops.try_emplace(findSignature(instruction->op_type())->name, ops.size()).first->second);
    streams.push_back(instruction->stream());
  }
  for (const Life &life : livesOf(index.plan, entry))
    lives.push_back({life.buffer, life.first, life.last});
  for (const Flight &flight : schedule.flights)
    flights.push_back({flight.instruction, flight.awaited, flight.what, flight.bytes, flight.kernels});
  return {{"name", index.entryNames[which]}, {"ops", opList}, {"streams", streams}, {"lives", lives}, {"flights", flights}};
}

Json spacesOf(const MemoryReport &report) {
  Json list = Json::array();
  for (size_t t = 0; t < kTiers; ++t) {
    const SpaceReport &space = report.spaces[t];
    if (space.arenaBytes > 0)
      list.push_back({{"name", nameOf(static_cast<fbs::Tier>(t))},
                      {"tier", t},
                      {"bytes", space.arenaBytes},
                      {"live", space.liveBytes},
                      {"entry", space.entry == kAbsent ? Json() : Json(space.entry)},
                      {"instruction", space.instruction == kAbsent ? Json() : Json(space.instruction)},
                      {"kinds", space.byKind()}});
  }
  return list;
}

/// Text inside a script element: nothing in it may look like the element's end.
std::string embedded(const Json &json) {
  std::string text;
  for (char c : json.dump(-1, ' ', false, Json::error_handler_t::replace))
    text += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return text;
}

std::string escaped(const std::string &title) {
  std::string text;
  for (char c : title)
    text += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return text;
}

} // namespace

std::string explainPage(const fbs::Plan &plan, const std::string &title) {
  PlanIndex index(plan);
  ScheduleReport schedule = scheduleReport(index);
  std::map<std::string, size_t> ops;
  Json json = {{"ranks", plan.ranks()}, {"target", plan.target()->str()}, {"reserve", plan.reserve_bytes()}, {"streams", plan.streams()}};
  for (size_t kind = 0; kind < kKinds; ++kind)
    json["kinds"].push_back(snakeCase(fbs::EnumNameBufferKind(static_cast<fbs::BufferKind>(kind))));
  json["spaces"] = spacesOf(memoryReport(index));
  json["buffers"] = buffersOf(plan);
  for (uint32_t e = 0; e < plan.entries()->size(); ++e)
    json["entries"].push_back(entryOf(index, e, schedule.entries[e], ops));
  std::vector<std::string> names(ops.size());
  for (const auto &[name, number] : ops)
    names[number] = name;
  json["ops"] = names;

  std::string page = kPage;
  auto replace = [&](const std::string &mark, const std::string &text) { page.replace(page.find(mark), mark.size(), text); };
  replace("@DATA@", embedded(json));
  replace("@TITLE@", escaped(title));
  return page;
}

Status writeExplainPage(const fbs::Plan &plan, const std::string &title, const std::string &path) {
  return writeFileAtomically(path, explainPage(plan, title));
}

} // namespace zp::rt
