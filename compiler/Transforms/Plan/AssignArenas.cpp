#include "compiler/Transforms/Plan/Passes.h"

#include <map>
#include <vector>

namespace zp::plan {
#define GEN_PASS_DEF_ASSIGNARENASPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

constexpr int64_t kAlignment = 256;
int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// When a buffer of an entry holds something: positions of instructions, both included.
struct Life {
  BufferOp buffer;
  int64_t size;
  unsigned first = ~0u, last = 0;
  int64_t offset = 0;
  bool overlaps(const Life &o) const { return first <= o.last && o.first <= last; }
};

class EntryLayout {
public:
  explicit EntryLayout(EntryOp entry) {
    llvm::DenseMap<StringAttr, size_t> index;
    for (auto buffer : entry.getBody().front().getOps<BufferOp>()) {
      index[buffer.getSymNameAttr()] = lives.size();
      lives.push_back({buffer, aligned(buffer.getBytes())});
    }
    SmallVector<Operation *> ops;
    for (Operation &op : entry.getBody().front())
      ops.push_back(&op);
    for (unsigned at = 0; at < ops.size(); ++at) {
      auto instruction = dyn_cast<InstructionOpInterface>(ops[at]);
      if (!instruction)
        continue;
      unsigned end = instruction.getStreamId() == 0 ? at : awaited(ops, at);
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
  }

  /// Places buffers from `base` on; returns the end of the highest.
  int64_t place(int64_t base) {
    SmallVector<Life *> order = llvm::map_to_vector(lives, [](Life &life) { return &life; });
    llvm::stable_sort(order, [](Life *a, Life *b) { return a->size != b->size ? a->size > b->size : a->first < b->first; });
    std::vector<Life *> placed; // by offset
    int64_t end = base;
    for (Life *life : order) {
      int64_t offset = base;
      for (Life *other : placed)
        if (other->overlaps(*life)) {
          if (offset + life->size <= other->offset)
            break;
          offset = std::max(offset, other->offset + other->size);
        }
      life->offset = offset;
      placed.insert(llvm::upper_bound(placed, life, [](Life *a, Life *b) { return a->offset < b->offset; }), life);
      life->buffer.setOffset(offset);
      end = std::max(end, offset + life->size);
    }
    return end;
  }

  int64_t liveBytes() const {
    std::map<unsigned, int64_t> change;
    for (const Life &life : lives) {
      change[life.first] += life.size;
      change[life.last + 1] -= life.size;
    }
    int64_t now = 0, most = 0;
    for (auto [at, bytes] : change)
      most = std::max(most, now += bytes);
    return most;
  }

private:
  /// Where stream 0 awaits the event that is recorded next after `at` on the same stream.
  static unsigned awaited(ArrayRef<Operation *> ops, unsigned at) {
    int64_t stream = cast<InstructionOpInterface>(ops[at]).getStreamId(), event = -1;
    for (unsigned i = at + 1; i < ops.size(); ++i) {
      if (auto record = dyn_cast<RecordEventOp>(ops[i]); record && event < 0 && static_cast<int64_t>(record.getStream()) == stream)
        event = record.getEvent();
      if (auto wait = dyn_cast<WaitEventOp>(ops[i]); wait && event >= 0 && static_cast<int64_t>(wait.getEvent()) == event)
        return i;
    }
    return ops.size();
  }

  std::vector<Life> lives;
};

struct AssignArenas : zp::plan::impl::AssignArenasPassBase<AssignArenas> {
  void runOnOperation() override {
    int64_t persistent = 0;
    for (auto buffer : getOperation().getOps<BufferOp>()) {
      buffer.setOffset(persistent);
      persistent += aligned(buffer.getBytes());
    }
    int64_t arena = persistent, live = persistent;
    for (auto entry : getOperation().getOps<EntryOp>()) {
      EntryLayout layout(entry);
      arena = std::max(arena, layout.place(persistent));
      live = std::max(live, persistent + layout.liveBytes());
      for (auto buffer : llvm::make_early_inc_range(entry.getBody().front().getOps<BufferOp>()))
        if (!buffer.getOffset())
          eraseUnused(entry, buffer);
    }
    arenaBytes = arena;
    liveBytes = live;
    getOperation()->setAttr("plan.arena_bytes", Builder(&getContext()).getI64IntegerAttr(arena));
  }

  /// A buffer that no instruction touches: its windows go too.
  static void eraseUnused(EntryOp entry, BufferOp buffer) {
    for (auto view : llvm::make_early_inc_range(entry.getBody().front().getOps<ViewOp>()))
      if (view.getBufferAttr().getAttr() == buffer.getSymNameAttr() && view->use_empty())
        view.erase();
    buffer.erase();
  }
};

} // namespace
