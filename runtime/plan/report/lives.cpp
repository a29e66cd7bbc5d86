#include "runtime/plan/report/lives.h"

#include <algorithm>
#include <array>
#include <map>

#include "runtime/plan/op_signatures.h"
#include "runtime/plan/plan_checker.h"

namespace zp::rt {

std::vector<uint32_t> knownOver(const fbs::Entry &entry) {
  const uint32_t end = entry.instructions()->size();
  std::vector<uint32_t> over(end);
  // Backwards: when stream 0 knows of what a stream did before position i; of an event, of what its recorder did.
  std::array<uint32_t, kMostStreams> known;
  known.fill(end);
  std::map<int64_t, uint32_t> events;
  for (uint32_t i = end; i-- > 0;) {
    const fbs::Instruction &instruction = *entry.instructions()->Get(i);
    const uint32_t stream = instruction.stream();
    if (const auto *wait = instruction.op_as_WaitEvent()) {
      events[wait->event()] = stream == 0 ? i : known[stream];
    } else if (const auto *record = instruction.op_as_RecordEvent()) {
      auto awaited = events.find(record->event());
      if (awaited != events.end())
        known[stream] = std::min(known[stream], awaited->second);
    }
    over[i] = stream == 0 ? i : known[stream];
  }
  return over;
}

std::vector<Life> livesOf(const fbs::Plan &plan, const fbs::Entry &entry) {
  const uint32_t count = entry.instructions()->size();
  if (count == 0)
    return {};
  std::map<uint32_t, Life> lives;
  auto touch = [&](uint32_t tensor, uint32_t first, uint32_t last) {
    uint32_t buffer = plan.tensors()->Get(tensor)->buffer();
    if (plan.buffers()->Get(buffer)->persistent())
      return;
    Life &life = lives.try_emplace(buffer, Life{buffer, first, last}).first->second;
    life.first = std::min(life.first, first);
    life.last = std::max(life.last, last);
  };
  const std::vector<uint32_t> over = knownOver(entry);
  for (uint32_t i = 0; i < count; ++i)
    if (const auto *operands = entry.instructions()->Get(i)->operands())
      for (uint32_t tensor : *operands)
        if (tensor != kAbsent)
          touch(tensor, i, std::min(over[i], count - 1));
  for (const fbs::NamedTensor *input : *entry.inputs())
    touch(input->tensor(), 0, 0);
  for (const fbs::NamedTensor *output : *entry.outputs())
    touch(output->tensor(), count - 1, count - 1);
  std::vector<Life> list;
  for (const auto &[buffer, life] : lives)
    list.push_back(life);
  return list;
}

} // namespace zp::rt
