#include "runtime/plan/report/collectives_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/plan/plan_checker.h"
#include "runtime/plan/report/text_table.h"

namespace zp::rt {

void Traffic::add(const Traffic &other, uint64_t times) {
  count += times * other.count;
  bytes += times * other.bytes;
  received += times * other.received;
}

void GatheredPart::add(const GatheredPart &other, uint64_t times) {
  bytes += times * other.bytes;
  elements += static_cast<double>(times) * other.elements;
}

void CollectiveSums::add(const CollectiveSums &other, uint64_t times) {
  gathers.add(other.gathers, times);
  scatters.add(other.scatters, times);
  reduces.add(other.reduces, times);
  for (size_t kind = 0; kind < kGatheredKinds; ++kind)
    gathered[kind].add(other.gathered[kind], times);
}

GatheredPart CollectiveSums::frozenLinears() const {
  GatheredPart sum = of(Gathered::LinearCodes);
  sum.add(of(Gathered::LinearFloats), 1);
  return sum;
}

GatheredPart CollectiveSums::all() const {
  GatheredPart sum;
  for (const GatheredPart &part : gathered)
    sum.add(part, 1);
  return sum;
}

namespace {

Gathered kindOf(ParameterRole role) {
  switch (role) {
  case ParameterRole::Linear:
    return Gathered::LinearFloats;
  case ParameterRole::Head:
    return Gathered::Head;
  case ParameterRole::Embedding:
    return Gathered::Embedding;
  case ParameterRole::Other:
    break;
  }
  return Gathered::OtherFrozen;
}

/// Adds `bytes` of a section, all of it or a part, to what its parameters are. Padding goes with the other parameters.
void addSection(const PlanIndex &index, uint32_t which, uint64_t bytes, CollectiveSums &sums) {
  const fbs::Section &section = index.section(which);
  const DType dtype = dtypeOf(index.tensor(section.values())); // of what travels; masters may be another
  const double share = static_cast<double>(bytes) / static_cast<double>(zp::bytesOf(dtype, section.elements()));
  auto elements = [&](uint32_t p) { return share * static_cast<double>(elementsOf(*section.parameters()->Get(p))); };
  Gathered rest = Gathered::OtherFrozen;
  if (section.kind() == fbs::SectionKind::Codes)
    rest = Gathered::LinearCodes;
  else if (section.kind() == fbs::SectionKind::Trainable)
    rest = Gathered::Trainable;
  for (uint32_t p = 0; p < section.parameters()->size(); ++p) {
    if (section.kind() != fbs::SectionKind::Frozen) {
      sums.of(rest).elements += elements(p);
      continue;
    }
    GatheredPart &part = sums.of(kindOf(index.roleOf(which, p)));
    const uint64_t all = zp::bytesOf(dtype, elementsOf(*section.parameters()->Get(p)));
    const uint64_t here = std::min(bytes, static_cast<uint64_t>(share * static_cast<double>(all)));
    part.bytes += here;
    part.elements += elements(p);
    bytes -= here;
  }
  sums.of(rest).bytes += bytes;
}

void addGather(const PlanIndex &index, const fbs::Instruction &instruction, CollectiveSums &sums) {
  const uint32_t shard = instruction.operands()->Get(0), whole = instruction.operands()->Get(1);
  const uint64_t ranks = index.plan.ranks();
  uint64_t left = bytesOf(index.tensor(whole));
  auto add = [&](uint32_t tensor, uint64_t factor) {
    for (const SectionPart &part : index.partsOf(tensor)) {
      uint64_t bytes = std::min(left, part.bytes * factor);
      addSection(index, part.section, bytes, sums);
      left -= bytes;
    }
  };
  add(shard, ranks);
  if (left == bytesOf(index.tensor(whole))) // what is gathered into a section's values: a fresh copy of trained ones
    add(whole, 1);
  sums.of(Gathered::NoSection).bytes += left;
}

CollectiveSums sumsOf(const PlanIndex &index, const fbs::Entry &entry) {
  CollectiveSums sums;
  const uint64_t ranks = index.plan.ranks(), others = ranks - 1;
  auto bytesOfOperand = [&](const fbs::Instruction &instruction, uint32_t i) { return bytesOf(index.tensor(instruction.operands()->Get(i))); };
  for (const fbs::Instruction *instruction : *entry.instructions())
    switch (instruction->op_type()) {
    case fbs::OpAttrs::AllGather:
      sums.gathers.add({1, bytesOfOperand(*instruction, 1), others * bytesOfOperand(*instruction, 0)}, 1);
      addGather(index, *instruction, sums);
      break;
    case fbs::OpAttrs::ReduceScatter:
      sums.scatters.add({1, bytesOfOperand(*instruction, 0), others * bytesOfOperand(*instruction, 1)}, 1);
      break;
    case fbs::OpAttrs::AllReduce:
      sums.reduces.add({1, bytesOfOperand(*instruction, 0), bytesOfOperand(*instruction, 0) / ranks * others}, 1);
      break;
    default:
      break;
    }
  return sums;
}

nlohmann::ordered_json jsonOf(const Traffic &traffic) {
  return {{"count", traffic.count}, {"bytes", traffic.bytes}, {"received_bytes", traffic.received}};
}
nlohmann::ordered_json jsonOf(const GatheredPart &part) { return {{"bytes", part.bytes}, {"elements", wholeNumber(part.elements)}}; }
nlohmann::ordered_json jsonOf(const CollectiveSums &sums) {
  return {{"all_gather", jsonOf(sums.gathers)},
          {"reduce_scatter", jsonOf(sums.scatters)},
          {"all_reduce", jsonOf(sums.reduces)},
          {"gathered",
           {{"frozen_linears", jsonOf(sums.frozenLinears())},
            {"linear_codes", jsonOf(sums.of(Gathered::LinearCodes))},
            {"linear_floats", jsonOf(sums.of(Gathered::LinearFloats))},
            {"embedding", jsonOf(sums.of(Gathered::Embedding))},
            {"head", jsonOf(sums.of(Gathered::Head))},
            {"other_frozen", jsonOf(sums.of(Gathered::OtherFrozen))},
            {"trainable", jsonOf(sums.of(Gathered::Trainable))},
            {"no_section", jsonOf(sums.of(Gathered::NoSection))}}}};
}

} // namespace

CollectivesReport collectivesReport(const PlanIndex &index) {
  CollectivesReport report;
  for (const fbs::Entry *entry : *index.plan.entries())
    report.entries.push_back(sumsOf(index, *entry));
  for (auto [entry, times] : index.update())
    report.update.add(report.entries[entry], times);
  return report;
}

nlohmann::ordered_json collectivesJson(const PlanIndex &index, const CollectivesReport &report) {
  nlohmann::ordered_json json = {{"ranks", index.plan.ranks()}, {"gradient_accumulation_steps", index.accumulation()}};
  for (size_t e = 0; e < report.entries.size(); ++e)
    json["entries"][index.entryNames[e]] = jsonOf(report.entries[e]);
  json["update"] = jsonOf(report.update);
  return json;
}

} // namespace zp::rt
