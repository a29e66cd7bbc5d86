#include "runtime/trainer/plan_entries.h"

#include <algorithm>
#include <optional>
#include <string>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

using Names = flatbuffers::Vector<flatbuffers::Offset<fbs::NamedTensor>>;

static uint32_t find(const Names *names, std::string_view name) {
  if (names)
    for (const fbs::NamedTensor *named : *names)
      if (named->name() && named->name()->string_view() == name)
        return named->tensor();
  return kNoTensor;
}

uint32_t inputOf(const fbs::Entry &entry, std::string_view name) { return find(entry.inputs(), name); }
uint32_t outputOf(const fbs::Entry &entry, std::string_view name) { return find(entry.outputs(), name); }

const fbs::Entry &PlanEntries::entry(uint32_t index) const { return *plan.entries()->Get(index); }

StatusOr<uint32_t> PlanEntries::longestEntry(fbs::EntryKind kind) const {
  std::optional<uint32_t> best;
  for (uint32_t i = 0; plan.entries() && i < plan.entries()->size(); ++i)
    if (entry(i).kind() == kind && (!best || entry(i).length() > entry(*best).length()))
      best = i;
  if (best)
    return *best;
  return Status(ErrorCode::PlanInvalid, std::string("plan: has no entry of kind ") + fbs::EnumNameEntryKind(kind) + "; compile it again");
}

StatusOr<uint32_t> PlanEntries::trainStep(uint32_t micro, uint32_t micros, uint32_t length) const {
  fbs::Position exact = micro == 0 ? fbs::Position::First : micro + 1 == micros ? fbs::Position::Last : fbs::Position::Middle;
  std::optional<uint32_t> best;
  auto rank = [&](uint32_t i) { return std::pair(entry(i).length(), entry(i).position() == fbs::Position::Any); };
  for (uint32_t i = 0; plan.entries() && i < plan.entries()->size(); ++i) {
    const fbs::Entry &candidate = entry(i);
    bool fits = candidate.position() == fbs::Position::Any || (candidate.position() == exact && micros > 1);
    if (candidate.kind() == fbs::EntryKind::TrainStep && fits && candidate.length() >= length && (!best || rank(i) < rank(*best)))
      best = i;
  }
  if (best)
    return *best;
  return Status(ErrorCode::PlanInvalid, "plan: has no train_step for micro-batch " + std::to_string(micro) + " of " + std::to_string(micros) +
                                            " with rows of " + std::to_string(length) + " tokens; compile it again");
}

bool PlanEntries::positionsMatter() const {
  for (uint32_t i = 0; plan.entries() && i < plan.entries()->size(); ++i)
    if (entry(i).kind() == fbs::EntryKind::TrainStep && entry(i).position() != fbs::Position::Any)
      return true;
  return false;
}

uint32_t PlanEntries::longest(fbs::EntryKind kind) const {
  uint32_t length = 0;
  for (uint32_t i = 0; plan.entries() && i < plan.entries()->size(); ++i)
    if (entry(i).kind() == kind)
      length = std::max(length, entry(i).length());
  return length;
}

uint32_t PlanEntries::longestSource(fbs::EntryKind kind) const {
  uint32_t length = 0;
  for (uint32_t i = 0; plan.entries() && i < plan.entries()->size(); ++i)
    if (entry(i).kind() == kind)
      length = std::max(length, entry(i).source_length());
  return length;
}

} // namespace zp::rt
