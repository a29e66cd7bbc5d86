#include "compiler/Transforms/Plan/Lives.h"

#include <numeric>

using namespace mlir;

namespace zp::plan {

/// Where stream 0 awaits the event that is recorded next after `at` on the same stream; or, where another stream awaits it, that one's next.
static unsigned awaited(ArrayRef<Operation *> ops, unsigned at) {
  int64_t stream = cast<InstructionOpInterface>(ops[at]).getStreamId(), event = -1;
  for (unsigned i = at + 1; i < ops.size(); ++i) {
    if (auto record = dyn_cast<RecordEventOp>(ops[i]); record && event < 0 && static_cast<int64_t>(record.getStream()) == stream)
      event = record.getEvent();
    auto wait = dyn_cast<WaitEventOp>(ops[i]);
    if (!wait || event < 0 || static_cast<int64_t>(wait.getEvent()) != event)
      continue;
    stream = wait.getStream();
    if (stream == 0)
      return i;
    event = -1;
  }
  return ops.size();
}

/// Where the future of the instruction at `at` is awaited, or that of what starts after it; `at` for one that has none.
static unsigned fulfilled(ArrayRef<Operation *> ops, unsigned at) {
  auto future = ops[at]->getAttrOfType<IntegerAttr>(kFutureAttr);
  if (!future)
    return at;
  for (unsigned i = at + 1; i < ops.size(); ++i) {
    if (auto wait = dyn_cast<WaitEventOp>(ops[i]); wait && static_cast<int64_t>(wait.getEvent()) == future.getInt())
      return i;
    if (ops[i]->getAttrOfType<IntegerAttr>(kAfterAttr) == future)
      return fulfilled(ops, i);
  }
  return ops.size();
}

unsigned heldUntil(ArrayRef<Operation *> ops, unsigned at) {
  auto instruction = dyn_cast<InstructionOpInterface>(ops[at]);
  return !instruction ? at : instruction.getStreamId() == 0 ? fulfilled(ops, at) : awaited(ops, at);
}

std::vector<Life> livesOf(EntryOp entry, Tier tier) {
  std::vector<Life> lives;
  llvm::DenseMap<StringAttr, size_t> index;
  for (auto buffer : entry.getBody().front().getOps<BufferOp>()) {
    if (buffer.getTier() != tier)
      continue;
    index[buffer.getSymNameAttr()] = lives.size();
    lives.push_back({buffer, aligned(buffer.getBytes(), tier)});
  }
  SmallVector<Operation *> ops;
  for (Operation &op : entry.getBody().front())
    ops.push_back(&op);
  for (unsigned at = 0; at < ops.size(); ++at) {
    auto instruction = dyn_cast<InstructionOpInterface>(ops[at]);
    if (!instruction)
      continue;
    const unsigned end = heldUntil(ops, at);
    for (Access access : instruction.getAccesses()) {
      auto view = access.memory ? access.memory.getDefiningOp<ViewOp>() : ViewOp();
      auto found = view ? index.find(view.getBufferAttr().getAttr()) : index.end();
      if (found == index.end())
        continue;
      Life &life = lives[found->second];
      life.first = std::min(life.first, at);
      life.last = std::max(life.last, end);
    }
  }
  llvm::erase_if(lives, [](const Life &life) { return life.first > life.last; });
  return lives;
}

std::vector<int64_t> liveBytes(EntryOp entry, ArrayRef<Life> lives) {
  const size_t positions = std::distance(entry.getBody().front().begin(), entry.getBody().front().end());
  // What begins to live at each position, less what did before; behind the body is what nothing awaits.
  std::vector<int64_t> live(positions + 2);
  for (const Life &life : lives) {
    live[life.first] += life.size;
    live[life.last + 1] -= life.size;
  }
  live.pop_back();
  std::partial_sum(live.begin(), live.end(), live.begin());
  return live;
}

} // namespace zp::plan
