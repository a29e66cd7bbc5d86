#include "runtime/plan/read_in_place.h"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/plan/op_signatures.h"
#include "runtime/plan/plan_checker.h"

namespace zp::rt {
namespace {

/// What the plan does with its buffers, as far as it decides on what can be read in place.
class Uses {
public:
  explicit Uses(const fbs::Plan &plan) : plan(plan), writers(plan.buffers()->size()), readers(plan.buffers()->size()) {
    for (uint32_t e = 0; e < plan.entries()->size(); ++e) {
      const fbs::Entry &entry = *plan.entries()->Get(e);
      for (const fbs::NamedTensor *input : *entry.inputs()) // the host writes them
        writers[bufferOf(input->tensor())].other.insert(e);
      for (const fbs::Instruction *instruction : *entry.instructions())
        note(e, *instruction);
    }
  }

  /// The buffer that `buffer` is a mere copy of, in memory; itself where it isn't one.
  uint32_t homeOf(uint32_t buffer) const {
    const Writers &found = writers[buffer];
    const bool isCopy = found.other.empty() && found.gathered.empty() && found.copied.size() == 1;
    return isCopy && isStill(*found.copied.begin(), readers[*found.copied.begin()].copied) ? *found.copied.begin() : buffer;
  }

  /// {shard: the wholes that it, and copies of it, are gathered into}, of shards that can be pooled.
  std::map<uint32_t, std::vector<uint32_t>> pooled(const std::vector<uint32_t> &homes) const {
    std::map<uint32_t, std::vector<uint32_t>> wholes;
    std::map<uint32_t, std::set<uint32_t>> entries; // that gather it
    for (uint32_t buffer = 0; buffer < homes.size(); ++buffer) {
      for (uint32_t source : writers[buffer].gathered)
        wholes[homes[source]].push_back(buffer);
      entries[homes[buffer]].insert(readers[buffer].gathered.begin(), readers[buffer].gathered.end());
    }
    std::erase_if(wholes, [&](const auto &found) {
      const auto &[shard, targets] = found;
      const bool alone = std::all_of(targets.begin(), targets.end(), [&](uint32_t whole) {
        return writers[whole].other.empty() && writers[whole].copied.empty() && writers[whole].gathered.size() == 1;
      });
      return !alone || buffer(shard).bytes() % kBufferAlignment != 0 || !isStill(shard, entries[shard]);
    });
    return wholes;
  }

private:
  /// Of a buffer: what is copied and gathered whole into it, and the entries that write it otherwise.
  struct Writers {
    std::set<uint32_t> copied, gathered, other;
  };
  /// Of a buffer: the entries that copy or gather all of it.
  struct Readers {
    std::set<uint32_t> copied, gathered;
  };

  uint32_t bufferOf(uint32_t tensor) const { return plan.tensors()->Get(tensor)->buffer(); }
  const fbs::Buffer &buffer(uint32_t index) const { return *plan.buffers()->Get(index); }
  /// Whether a tensor is all of its buffer, in memory.
  bool fills(uint32_t tensor) const {
    const fbs::Tensor &window = *plan.tensors()->Get(tensor);
    return window.offset() == 0 && bytesOf(window) == buffer(window.buffer()).bytes() && buffer(window.buffer()).tier() != fbs::Tier::Disk;
  }
  /// Whether a persistent buffer keeps what it holds throughout these entries.
  bool isStill(uint32_t index, const std::set<uint32_t> &entries) const {
    const Writers &found = writers[index];
    bool still = buffer(index).persistent() && found.copied.empty() && found.gathered.empty();
    for (uint32_t entry : entries)
      still = still && !found.other.count(entry);
    return still;
  }

  void note(uint32_t entry, const fbs::Instruction &instruction) {
    const bool copies = instruction.op_type() == fbs::OpAttrs::Copy, gathers = instruction.op_type() == fbs::OpAttrs::AllGather;
    if (copies || gathers) {
      const uint32_t source = instruction.operands()->Get(0), target = instruction.operands()->Get(1);
      const uint32_t from = bufferOf(source), to = bufferOf(target);
      if (fills(source) && fills(target) && !buffer(to).persistent() && from != to) {
        (copies ? writers[to].copied : writers[to].gathered).insert(from);
        (copies ? readers[from].copied : readers[from].gathered).insert(entry);
        return;
      }
    }
    const OpSignature &op = *findSignature(instruction.op_type());
    for (uint32_t i = 0; i < op.operands.size(); ++i)
      if (const uint32_t tensor = instruction.operands()->Get(i); tensor != kAbsent && accessOf(instruction, op, i).writes)
        writers[bufferOf(tensor)].other.insert(entry);
  }

  const fbs::Plan &plan;
  std::vector<Writers> writers;
  std::vector<Readers> readers;
};

bool touchesPool(const fbs::Plan &plan, const fbs::Entry &entry, const ReadInPlace &found) {
  for (const fbs::Instruction *instruction : *entry.instructions())
    for (uint32_t i = 0; instruction->operands() && i < instruction->operands()->size(); ++i)
      if (const uint32_t tensor = instruction->operands()->Get(i); tensor != kAbsent)
        if (found.places[plan.tensors()->Get(tensor)->buffer()])
          return true;
  return false;
}

} // namespace

ReadInPlace readInPlaceOf(const fbs::Plan &plan, uint32_t rank) {
  const Uses uses(plan);
  const uint32_t buffers = plan.buffers()->size();
  ReadInPlace found;
  found.homes.resize(buffers);
  for (uint32_t buffer = 0; buffer < buffers; ++buffer)
    found.homes[buffer] = uses.homeOf(buffer);
  found.places.resize(buffers);
  for (const auto &[shard, wholes] : uses.pooled(found.homes)) {
    const uint64_t bytes = plan.buffers()->Get(shard)->bytes();
    for (uint32_t whole : wholes)
      found.places[whole] = found.poolBytes;
    found.places[shard] = found.poolBytes + rank * bytes;
    found.poolBytes += plan.ranks() * bytes;
  }
  for (const fbs::Entry *entry : *plan.entries())
    found.usesPool.push_back(touchesPool(plan, *entry, found));
  return found;
}

} // namespace zp::rt
