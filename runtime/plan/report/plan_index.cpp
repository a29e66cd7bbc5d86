#include "runtime/plan/report/plan_index.h"

#include <algorithm>
#include <cstdlib>
#include <type_traits>

#include "runtime/base/names.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/schema/section_records.h"
#include "runtime/schema/settings.h"

namespace zp::rt {

uint64_t extentOf(const fbs::Section &section, const fbs::Parameter &parameter) {
  if (section.kind() != fbs::SectionKind::Codes)
    return elementsOf(parameter);
  return recordsOf(section).bytesFor(elementsOf(parameter));
}

uint64_t bytesOf(const fbs::Section &section) { return zp::bytesOf(static_cast<DType>(section.dtype()), section.elements()); }

PlanIndex::PlanIndex(const fbs::Plan &plan) : plan(plan) {
  if (plan.target()->string_view() == "cpu")
    inPlace = readInPlaceOf(plan, 0);
  nameEntries();
  for (uint32_t i = 0; i < plan.sections()->size(); ++i)
    valuesByBuffer[tensor(section(i).values()).buffer()].push_back(i);
  findCopies();
  findWholeSections();
  findRoles();
}

void PlanIndex::nameEntries() {
  std::map<std::string, uint32_t> count;
  for (int detail = 0; detail < 3; ++detail) { // kind and position, row length, number
    std::map<std::string, uint32_t> seen;
    for (uint32_t i = 0; i < plan.entries()->size(); ++i) {
      const fbs::Entry &entry = *plan.entries()->Get(i);
      if (detail == 0) {
        entryNames.push_back(snakeCase(fbs::EnumNameEntryKind(entry.kind())));
        if (entry.position() != fbs::Position::Any)
          entryNames.back() += "." + snakeCase(fbs::EnumNamePosition(entry.position()));
      } else if (count[entryNames[i]] > 1) {
        entryNames[i] += "." + std::to_string(detail == 1 ? entry.length() : i);
      }
      ++seen[entryNames[i]];
    }
    count = std::move(seen);
  }
}

std::vector<SectionPart> PlanIndex::partsOf(uint32_t index) const {
  std::vector<SectionPart> parts;
  const fbs::Tensor &window = tensor(index);
  auto found = valuesByBuffer.find(window.buffer());
  if (found == valuesByBuffer.end()) {
    auto copy = copies.find(window.buffer());
    if (copy != copies.end() && copy->second.bytes == bytesOf(window))
      parts.push_back(copy->second);
    return parts;
  }
  const uint64_t begin = window.offset(), end = begin + bytesOf(window);
  for (uint32_t i : found->second) {
    const fbs::Tensor &values = tensor(section(i).values());
    uint64_t from = std::max(begin, values.offset()), to = std::min(end, values.offset() + bytesOf(values));
    if (from < to)
      parts.push_back({i, to - from, elementsOf(values) == section(i).elements()});
  }
  return parts;
}

void PlanIndex::findCopies() {
  for (const fbs::Entry *entry : *plan.entries())
    for (const fbs::Instruction *instruction : *entry->instructions())
      if (instruction->op_type() == fbs::OpAttrs::Copy) {
        const fbs::Tensor &target = tensor(instruction->operands()->Get(1));
        std::vector<SectionPart> parts = partsOf(instruction->operands()->Get(0));
        if (parts.size() == 1 && parts[0].bytes == bytesOf(target) && !buffer(target.buffer()).persistent())
          copies.emplace(target.buffer(), parts[0]);
      }
}

void PlanIndex::findWholeSections() {
  for (uint32_t i = 0; i < plan.sections()->size(); ++i) {
    const fbs::Tensor &values = tensor(section(i).values());
    if (elementsOf(values) == section(i).elements())
      wholes.emplace(values.buffer(), WholeSection{i, values.offset()});
  }
  for (const fbs::Entry *entry : *plan.entries())
    for (const fbs::Instruction *instruction : *entry->instructions())
      if (instruction->op_type() == fbs::OpAttrs::Copy) {
        const fbs::Tensor &target = tensor(instruction->operands()->Get(1));
        auto copy = copies.find(target.buffer());
        if (copy != copies.end() && copy->second.whole)
          wholes.emplace(target.buffer(), WholeSection{copy->second.section, target.offset()});
      } else if (instruction->op_type() == fbs::OpAttrs::AllGather) {
        uint32_t shard = instruction->operands()->Get(0), whole = instruction->operands()->Get(1);
        std::vector<SectionPart> parts = partsOf(shard);
        if (parts.size() == 1 && parts[0].bytes == bytesOf(tensor(shard)))
          wholes.emplace(tensor(whole).buffer(), WholeSection{parts[0].section, tensor(whole).offset()});
      }
}

std::optional<WholeSection> PlanIndex::wholeIn(uint32_t buffer) const {
  auto found = wholes.find(buffer);
  return found == wholes.end() ? std::nullopt : std::optional(found->second);
}

bool PlanIndex::isInPlace(const fbs::Instruction &instruction) const {
  const bool gathers = instruction.op_type() == fbs::OpAttrs::AllGather;
  if (inPlace.homes.empty() || !(gathers || instruction.op_type() == fbs::OpAttrs::Copy))
    return false;
  const uint32_t target = tensor(instruction.operands()->Get(1)).buffer();
  return gathers ? inPlace.places[target].has_value() : inPlace.homes[target] != target;
}

std::optional<uint32_t> PlanIndex::sectionIn(uint32_t buffer) const {
  if (auto whole = wholeIn(buffer))
    return whole->section;
  auto found = valuesByBuffer.find(buffer);
  return found == valuesByBuffer.end() ? std::nullopt : std::optional(found->second.front());
}

/// The operand that is a weight in our sense, and what this use makes it; no operand where an op has none.
static std::pair<int, ParameterRole> weightOperand(fbs::OpAttrs op) {
  switch (op) {
  case fbs::OpAttrs::Embedding:
    return {0, ParameterRole::Embedding};
  case fbs::OpAttrs::LinearCrossEntropy:
    return {1, ParameterRole::Head};
  case fbs::OpAttrs::Matmul:
  case fbs::OpAttrs::NF4Matmul:
    return {1, ParameterRole::Linear};
  case fbs::OpAttrs::NF4Dequantize:
    return {0, ParameterRole::Linear};
  default:
    return {-1, ParameterRole::Other};
  }
}

void PlanIndex::findRoles() {
  for (const fbs::Section *section : *plan.sections())
    roles.emplace_back(section->parameters()->size(), ParameterRole::Other);
  for (const fbs::Entry *entry : *plan.entries())
    for (const fbs::Instruction *instruction : *entry->instructions()) {
      auto [operand, role] = weightOperand(instruction->op_type());
      if (operand < 0)
        continue;
      const fbs::Tensor &window = tensor(instruction->operands()->Get(static_cast<flatbuffers::uoffset_t>(operand)));
      std::optional<WholeSection> whole = wholeIn(window.buffer());
      if (!whole || window.offset() < whole->offset)
        continue;
      const fbs::Section &home = section(whole->section);
      const uint64_t at = (window.offset() - whole->offset) * 8 / bitsOf(dtypeOf(window));
      for (uint32_t p = 0; p < home.parameters()->size(); ++p) {
        const fbs::Parameter &parameter = *home.parameters()->Get(p);
        if (at >= parameter.offset() && at - parameter.offset() < extentOf(home, parameter))
          roles[whole->section][p] = std::max(roles[whole->section][p], role);
      }
    }
}

std::string PlanIndex::place(uint32_t entry, uint32_t instruction) const {
  const fbs::Instruction &at = *plan.entries()->Get(entry)->instructions()->Get(instruction);
  return entryNames[entry] + ":" + std::to_string(instruction) + " " + findSignature(at.op_type())->name;
}

std::string PlanIndex::setting(std::string_view name) const {
  if (plan.settings())
    for (const fbs::Setting *setting : *plan.settings())
      if (setting->name() && setting->value() && setting->name()->string_view() == name)
        return setting->value()->str();
  std::string text;
  JobSettings().forEach([&](const char *key, const auto &value, const char *) {
    using Value = std::decay_t<decltype(value)>;
    if (key != name)
      return;
    if constexpr (std::is_same_v<Value, std::string>)
      text = value;
    else if constexpr (std::is_same_v<Value, bool>)
      text = value ? "true" : "false";
    else
      text = std::to_string(value);
  });
  return text;
}

uint64_t PlanIndex::accumulation() const {
  return std::clamp<uint64_t>(std::strtoull(setting("gradient_accumulation_steps").c_str(), nullptr, 10), 1, 1000000);
}

std::vector<std::pair<uint32_t, uint64_t>> PlanIndex::update() const {
  const uint64_t micros = accumulation();
  auto longest = [&](fbs::EntryKind kind, fbs::Position position) {
    std::optional<uint32_t> best;
    for (uint32_t i = 0; i < plan.entries()->size(); ++i) {
      const fbs::Entry &entry = *plan.entries()->Get(i);
      if (entry.kind() == kind && entry.position() == position && (!best || entry.length() > plan.entries()->Get(*best)->length()))
        best = i;
    }
    return best;
  };
  std::map<uint32_t, uint64_t> times;
  auto add = [&](fbs::EntryKind kind, fbs::Position position, uint64_t count) {
    std::optional<uint32_t> entry = longest(kind, position);
    if (!entry)
      entry = longest(kind, fbs::Position::Any);
    if (entry && count)
      times[*entry] += count;
  };
  add(fbs::EntryKind::TrainStep, micros > 1 ? fbs::Position::First : fbs::Position::Any, 1);
  if (micros > 1) {
    add(fbs::EntryKind::TrainStep, fbs::Position::Middle, micros - 2);
    add(fbs::EntryKind::TrainStep, fbs::Position::Last, 1);
  }
  add(fbs::EntryKind::ApplyGradients, fbs::Position::Any, 1);
  return {times.begin(), times.end()};
}

} // namespace zp::rt
