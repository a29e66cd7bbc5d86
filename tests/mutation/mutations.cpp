#include "tests/mutation/mutations.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "runtime/plan/op_signatures.h"
#include "runtime/plan/plan_checker.h"

namespace zp::rt::test {
namespace {

using Random = std::mt19937_64;

template <typename T> const T &anyOf(const std::vector<T> &list, Random &random) { return list[random() % list.size()]; }

/// An entry whose list in `lists` has at least `least` members.
template <typename T> std::optional<uint32_t> anyEntry(const std::vector<std::vector<T>> &lists, size_t least, Random &random) {
  std::vector<uint32_t> fit;
  for (uint32_t i = 0; i < lists.size(); ++i)
    if (lists[i].size() >= least)
      fit.push_back(i);
  if (fit.empty())
    return std::nullopt;
  return anyOf(fit, random);
}

std::vector<uint32_t> inOrder(size_t count) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

std::string numbered(const char *what, uint64_t number) { return std::string(what) + " " + std::to_string(number); }

} // namespace

const char *nameOf(Mutation mutation) {
  switch (mutation) {
  case Mutation::EventRemoved:
    return "event removed";
  case Mutation::OffsetMoved:
    return "offset moved";
  case Mutation::CollectiveSwapped:
    return "collective swapped";
  case Mutation::LifeShortened:
    return "life shortened";
  case Mutation::InstructionRemoved:
    return "instruction removed";
  }
  return "";
}

Mutator::Mutator(const PlanFile &file) : file(file), plan(file.plan()) {
  for (const fbs::Entry *entry : *plan.entries()) {
    auto &engine = collectives.emplace_back();
    std::map<int64_t, std::array<uint32_t, 2>> pairs;
    std::map<uint32_t, Life> used;
    for (uint32_t i = 0; i < entry->instructions()->size(); ++i) {
      const fbs::Instruction &instruction = *entry->instructions()->Get(i);
      if (findSignature(instruction.op_type())->executor == OpExecutor::Engine)
        engine.push_back(i);
      if (const auto *record = instruction.op_as_RecordEvent())
        pairs[record->event()][0] = i;
      else if (const auto *wait = instruction.op_as_WaitEvent())
        pairs[wait->event()][1] = i;
      if (instruction.operands())
        for (uint32_t tensor : *instruction.operands())
          if (tensor != kAbsent && !plan.buffers()->Get(plan.tensors()->Get(tensor)->buffer())->persistent()) {
            uint32_t buffer = plan.tensors()->Get(tensor)->buffer();
            used.try_emplace(buffer, Life{buffer, i, i}).first->second.last = i;
          }
    }
    auto &event = events.emplace_back();
    for (const auto &[number, pair] : pairs)
      event.push_back(pair);
    auto &life = lives.emplace_back();
    for (const auto &[buffer, range] : used)
      life.push_back(range);
  }
}

std::optional<Mutant> Mutator::draw(Mutation mutation, Random &random) const {
  switch (mutation) {
  case Mutation::EventRemoved:
    return removeEvent(random);
  case Mutation::OffsetMoved:
    return moveOffset(random);
  case Mutation::CollectiveSwapped:
    return swapCollectives(random);
  case Mutation::LifeShortened:
    return shortenLife(random);
  case Mutation::InstructionRemoved:
    return removeInstruction(random);
  }
  return std::nullopt;
}

std::optional<Mutant> Mutator::removeEvent(Random &random) const {
  std::optional<uint32_t> entry = anyEntry(events, 1, random);
  if (!entry)
    return std::nullopt;
  const std::array<uint32_t, 2> pair = anyOf(events[*entry], random);
  std::vector<uint32_t> order = inOrder(plan.entries()->Get(*entry)->instructions()->size());
  const uint64_t which = random() % 10; // 0: the record stays, 1: the wait stays
  std::erase_if(order, [&](uint32_t place) { return (place == pair[0] && which != 0) || (place == pair[1] && which != 1); });
  return reordered(*entry, order,
                   numbered("event removed at", pair[0]) + numbered(" and", pair[1]) +
                       (which == 0   ? " (wait alone)"
                        : which == 1 ? " (record alone)"
                                     : ""));
}

std::optional<Mutant> Mutator::removeInstruction(Random &random) const {
  const auto entry = static_cast<uint32_t>(random() % plan.entries()->size());
  std::vector<uint32_t> order = inOrder(plan.entries()->Get(entry)->instructions()->size());
  if (order.empty())
    return std::nullopt;
  const uint64_t place = random() % order.size();
  order.erase(order.begin() + static_cast<std::ptrdiff_t>(place));
  return reordered(entry, order, numbered("removed instruction", place));
}

/// The last offset at which a buffer still lies in its arena.
uint64_t Mutator::roomFor(uint32_t buffer) const {
  for (const fbs::Space *space : *plan.spaces())
    if (space->tier() == plan.buffers()->Get(buffer)->tier())
      return space->bytes() - plan.buffers()->Get(buffer)->bytes();
  return 0;
}

std::optional<Mutant> Mutator::placed(uint32_t buffer, uint64_t offset, const std::string &why) const {
  offset = offset / kBufferAlignment * kBufferAlignment;
  const fbs::Buffer &moved = *plan.buffers()->Get(buffer);
  PlanEdit edit(file.payload());
  if (offset > roomFor(buffer) || offset == moved.offset() || !edit.moveBuffer(buffer, offset))
    return std::nullopt;
  return Mutant{{edit.payload().begin(), edit.payload().end()},
                "buffer " + moved.name()->str() + " moved from " + std::to_string(moved.offset()) + " to " + std::to_string(offset) + why};
}

std::optional<Mutant> Mutator::reordered(uint32_t entry, const std::vector<uint32_t> &order, const std::string &why) const {
  PlanEdit edit(file.payload());
  edit.reorder(entry, order);
  return Mutant{{edit.payload().begin(), edit.payload().end()}, indexed("entries", entry) + ": " + why};
}

std::optional<Mutant> Mutator::moveOffset(Random &random) const {
  const auto buffer = static_cast<uint32_t>(random() % plan.buffers()->size()), other = static_cast<uint32_t>(random() % plan.buffers()->size());
  const fbs::Buffer &own = *plan.buffers()->Get(buffer), &beside = *plan.buffers()->Get(other);
  switch (random() % 4) {
  case 0:
    return placed(buffer, random() % (roomFor(buffer) + 1), "");
  case 1:
    return placed(buffer, beside.offset(), " onto another");
  case 2:
    return placed(buffer, beside.offset() + (beside.bytes() + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment, " behind another");
  default:
    return placed(buffer, own.offset() + kBufferAlignment * (random() % 65) - kBufferAlignment * 32, " a little");
  }
}

std::optional<Mutant> Mutator::swapCollectives(Random &random) const {
  std::optional<uint32_t> entry = anyEntry(collectives, 2, random);
  if (!entry)
    return std::nullopt;
  // A neighbour as often as any other: those are the ones that could go unnoticed.
  const std::vector<uint32_t> &list = collectives[*entry];
  size_t first = random() % (list.size() - 1), second = random() % 2 ? first + 1 : random() % list.size();
  if (first == second)
    return std::nullopt;
  std::vector<uint32_t> order = inOrder(plan.entries()->Get(*entry)->instructions()->size());
  std::swap(order[list[first]], order[list[second]]);
  return reordered(*entry, order, numbered("collectives swapped:", list[first]) + numbered(" and", list[second]));
}

std::optional<Mutant> Mutator::shortenLife(Random &random) const {
  std::optional<uint32_t> entry = anyEntry(lives, 2, random);
  if (!entry)
    return std::nullopt;
  const Life life = anyOf(lives[*entry], random);
  const fbs::Buffer &own = *plan.buffers()->Get(life.buffer);
  if (random() % 2) {
    // The arena takes it for over up to 64 instructions too early, and gives its bytes to one that begins.
    std::vector<Life> born;
    for (const Life &next : lives[*entry])
      if (next.first > life.first && next.first <= life.last && next.first + 64 > life.last && plan.buffers()->Get(next.buffer)->tier() == own.tier())
        born.push_back(next);
    if (born.empty())
      return std::nullopt;
    return placed(anyOf(born, random).buffer, own.offset() + random() % own.bytes(), " in the life of " + own.name()->str());
  }
  // Its last user comes after those that begin in its bytes.
  std::vector<uint32_t> after;
  for (const Life &next : lives[*entry]) {
    const fbs::Buffer &reuse = *plan.buffers()->Get(next.buffer);
    if (next.first > life.last && reuse.tier() == own.tier() && reuse.offset() < own.offset() + own.bytes() &&
        own.offset() < reuse.offset() + reuse.bytes())
      after.push_back(next.first);
  }
  if (after.empty())
    return std::nullopt;
  const uint32_t target = random() % 2 ? *std::min_element(after.begin(), after.end()) : anyOf(after, random);
  std::vector<uint32_t> order = inOrder(plan.entries()->Get(*entry)->instructions()->size());
  std::rotate(order.begin() + life.last, order.begin() + life.last + 1, order.begin() + target + 1);
  return reordered(*entry, order, "last use of " + own.name()->str() + numbered(" moved from", life.last) + numbered(" behind", target));
}

} // namespace zp::rt::test
