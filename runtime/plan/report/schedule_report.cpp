#include "runtime/plan/report/schedule_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/plan/plan_checker.h"
#include "runtime/plan/report/lives.h"
#include "runtime/plan/report/operations.h"

namespace zp::rt {
namespace {

/// The section whose gradient a tensor is, or is added into behind instruction `at`.
std::optional<std::string> gradientOf(const PlanIndex &index, const fbs::Entry &entry, uint32_t at, uint32_t tensor) {
  uint32_t into = tensor;
  for (uint32_t i = at + 1; i < entry.instructions()->size() && into == tensor; ++i) {
    const fbs::Instruction &instruction = *entry.instructions()->Get(i);
    if (instruction.op_type() == fbs::OpAttrs::Accumulate && instruction.operands()->Get(0) == tensor)
      into = instruction.operands()->Get(1);
  }
  for (const fbs::Section *section : *index.plan.sections())
    if (section->gradient() == tensor || section->gradient() == into)
      return section->name()->str() + " gradient";
  return std::nullopt;
}

/// What a collective moves, as a person knows it.
std::string subjectOf(const PlanIndex &index, const fbs::Entry &entry, uint32_t at) {
  const fbs::Instruction &instruction = *entry.instructions()->Get(at);
  if (instruction.op_type() != fbs::OpAttrs::AllGather)
    if (auto gradient = gradientOf(index, entry, at, instruction.operands()->Get(instruction.operands()->size() - 1)))
      return *gradient;
  for (uint32_t tensor : *instruction.operands())
    if (std::vector<SectionPart> parts = index.partsOf(tensor); !parts.empty()) {
      std::string name = index.section(parts[0].section).name()->str();
      return parts.size() > 1 ? name + " and " + std::to_string(parts.size() - 1) + " more" : name;
    }
  return index.bufferOf(instruction.operands()->Get(0)).name()->str();
}

EntrySchedule scheduleOf(const PlanIndex &index, const fbs::Entry &entry) {
  EntrySchedule schedule;
  schedule.instructionsByStream.resize(index.plan.streams());
  const auto &list = *entry.instructions();
  const std::vector<uint32_t> over = knownOver(entry);
  // What stream 0 does before each instruction of the list.
  std::vector<uint32_t> instructions(list.size() + 1), kernels(list.size() + 1);
  std::vector<double> operations(list.size() + 1);
  for (uint32_t i = 0; i < list.size(); ++i) {
    const fbs::Instruction &instruction = *list.Get(i);
    ++schedule.instructionsByStream[instruction.stream()];
    schedule.events += instruction.op_type() == fbs::OpAttrs::RecordEvent;
    const bool event = instruction.op_type() == fbs::OpAttrs::RecordEvent || instruction.op_type() == fbs::OpAttrs::WaitEvent;
    const bool counts = instruction.stream() == 0 && !event;
    const bool kernel = counts && findSignature(instruction.op_type())->executor == OpExecutor::Device;
    instructions[i + 1] = instructions[i] + counts;
    kernels[i + 1] = kernels[i] + kernel;
    operations[i + 1] = operations[i] + (kernel ? operationsOf(index, instruction) : 0);
  }
  for (uint32_t i = 0; i < list.size(); ++i) {
    const fbs::Instruction &instruction = *list.Get(i);
    if (findSignature(instruction.op_type())->executor != OpExecutor::Engine)
      continue;
    Flight flight;
    flight.instruction = i;
    flight.awaited = over[i];
    if (over[i] > i) {
      flight.instructions = instructions[over[i]] - instructions[i + 1];
      flight.kernels = kernels[over[i]] - kernels[i + 1];
      flight.operations = operations[over[i]] - operations[i + 1];
    }
    flight.what = subjectOf(index, entry, i);
    for (uint32_t tensor : *instruction.operands())
      flight.bytes = std::max(flight.bytes, bytesOf(index.tensor(tensor)));
    schedule.flights.push_back(std::move(flight));
  }
  return schedule;
}

} // namespace

ScheduleReport scheduleReport(const PlanIndex &index) {
  ScheduleReport report;
  for (const fbs::Entry *entry : *index.plan.entries())
    report.entries.push_back(scheduleOf(index, *entry));
  return report;
}

nlohmann::ordered_json scheduleJson(const PlanIndex &index, const ScheduleReport &report) {
  nlohmann::ordered_json json = {{"streams", index.plan.streams()}, {"events", index.plan.events()}};
  for (size_t e = 0; e < report.entries.size(); ++e) {
    nlohmann::ordered_json flights = nlohmann::ordered_json::array();
    for (const Flight &flight : report.entries[e].flights) {
      const fbs::Instruction &instruction = *index.plan.entries()->Get(static_cast<uint32_t>(e))->instructions()->Get(flight.instruction);
      flights.push_back({{"instruction", flight.instruction},
                         {"op", findSignature(instruction.op_type())->name},
                         {"stream", instruction.stream()},
                         {"what", flight.what},
                         {"bytes", flight.bytes},
                         {"awaited", flight.awaited},
                         {"instructions_between", flight.instructions},
                         {"kernels_between", flight.kernels},
                         {"flops_between", flight.operations}});
    }
    json["entries"][index.entryNames[e]] = {
        {"instructions_by_stream", report.entries[e].instructionsByStream}, {"events", report.entries[e].events}, {"collectives", flights}};
  }
  return json;
}

} // namespace zp::rt
