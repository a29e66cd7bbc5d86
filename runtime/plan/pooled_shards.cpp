#include "runtime/plan/pooled_shards.h"

#include <map>
#include <set>

#include "runtime/base/checked_math.h"
#include "runtime/plan/op_signatures.h"
#include "runtime/plan/plan_checker.h"

namespace zp::rt {
namespace {

/// What the plan does with its buffers, as far as it decides on a pool.
class Uses {
public:
  explicit Uses(const fbs::Plan &plan) : plan(plan), wholes(plan.buffers()->size()), sources(plan.buffers()->size()) {
    unfit.resize(plan.buffers()->size());
    for (uint32_t e = 0; e < plan.entries()->size(); ++e) {
      const fbs::Entry &entry = *plan.entries()->Get(e);
      for (const fbs::NamedTensor *input : *entry.inputs()) // the host writes them
        unfit[bufferOf(input->tensor())] = true;
      std::set<uint32_t> written, gathered;
      for (const fbs::Instruction *instruction : *entry.instructions())
        note(*instruction, written, gathered);
      for (uint32_t shard : gathered)
        unfit[shard] = unfit[shard] || written.count(shard) > 0;
    }
  }

  /// The buffers that `shard` is gathered into; none where it can't be pooled.
  std::vector<uint32_t> pooledWholes(uint32_t shard) const {
    if (unfit[shard])
      return {};
    for (uint32_t whole : wholes[shard])
      if (unfit[whole] || sources[whole].size() != 1)
        return {};
    return {wholes[shard].begin(), wholes[shard].end()};
  }

private:
  uint32_t bufferOf(uint32_t tensor) const { return plan.tensors()->Get(tensor)->buffer(); }
  const fbs::Buffer &buffer(uint32_t index) const { return *plan.buffers()->Get(index); }
  /// Whether a tensor is all of its buffer.
  bool fills(uint32_t tensor) const {
    const fbs::Tensor &window = *plan.tensors()->Get(tensor);
    return window.offset() == 0 && bytesOf(window) == buffer(window.buffer()).bytes();
  }

  void note(const fbs::Instruction &instruction, std::set<uint32_t> &written, std::set<uint32_t> &gathered) {
    const OpSignature &op = *findSignature(instruction.op_type());
    if (instruction.op_type() == fbs::OpAttrs::AllGather)
      return noteGather(instruction.operands()->Get(0), instruction.operands()->Get(1), gathered);
    for (uint32_t i = 0; i < op.operands.size(); ++i) {
      const uint32_t tensor = instruction.operands()->Get(i);
      if (tensor == kAbsent || !accessOf(instruction, op, i).writes)
        continue;
      written.insert(bufferOf(tensor));
      if (!buffer(bufferOf(tensor)).persistent()) // a place in an entry that holds other things, too
        unfit[bufferOf(tensor)] = true;
    }
  }

  void noteGather(uint32_t source, uint32_t target, std::set<uint32_t> &gathered) {
    const uint32_t shard = bufferOf(source), whole = bufferOf(target);
    const bool pooled = fills(source) && fills(target) && buffer(shard).persistent() && !buffer(whole).persistent() &&
                        buffer(shard).bytes() % kBufferAlignment == 0 && shard != whole;
    if (!pooled)
      unfit[shard] = unfit[whole] = true;
    wholes[shard].insert(whole);
    sources[whole].insert(shard);
    gathered.insert(shard);
  }

  const fbs::Plan &plan;
  std::vector<std::set<uint32_t>> wholes, sources; // by shard, by whole
  std::vector<bool> unfit;
};

} // namespace

ShardPool shardPoolOf(const fbs::Plan &plan, uint32_t rank) {
  const Uses uses(plan);
  ShardPool pool;
  pool.places.resize(plan.buffers()->size());
  for (uint32_t shard = 0; shard < plan.buffers()->size(); ++shard) {
    const uint64_t bytes = plan.buffers()->Get(shard)->bytes();
    const std::vector<uint32_t> wholes = uses.pooledWholes(shard);
    for (uint32_t whole : wholes)
      pool.places[whole] = pool.bytes;
    if (wholes.empty())
      continue;
    pool.places[shard] = pool.bytes + rank * bytes;
    pool.bytes += plan.ranks() * bytes;
  }
  for (const fbs::Entry *entry : *plan.entries()) {
    bool used = false;
    for (const fbs::Instruction *instruction : *entry->instructions())
      for (uint32_t i = 0; !used && instruction->operands() && i < instruction->operands()->size(); ++i)
        if (const uint32_t tensor = instruction->operands()->Get(i); tensor != kAbsent)
          used = pool.places[plan.tensors()->Get(tensor)->buffer()].has_value();
    pool.usedBy.push_back(used);
  }
  return pool;
}

} // namespace zp::rt
