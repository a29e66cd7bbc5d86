#include "compiler/Transforms/Plan/Passes.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "runtime/schema/disk_block.h"

namespace zp::plan {
#define GEN_PASS_DEF_ASSIGNARENASPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

/// Of a buffer's place and size: a disk is read and written by blocks.
int64_t aligned(int64_t bytes, Tier tier) {
  int64_t alignment = tier == Tier::Disk ? static_cast<int64_t>(zp::kDiskBlock) : 256;
  return (bytes + alignment - 1) / alignment * alignment;
}

/// When a buffer of an entry holds something: positions of instructions, both included.
struct Life {
  BufferOp buffer;
  int64_t size;
  unsigned first = ~0u, last = 0;
  int64_t crowd = 0; ///< the most bytes that live at one time of its life
  int64_t offset = 0;
  bool overlaps(const Life &o) const { return first <= o.last && o.first <= last; }
};

class EntryLayout {
public:
  EntryLayout(EntryOp entry, Tier tier) {
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
    std::vector<int64_t> live(ops.size() + 1);
    for (const Life &life : lives)
      for (unsigned at = life.first; at <= life.last; ++at)
        live[at] += life.size;
    for (Life &life : lives)
      life.crowd = *std::max_element(live.begin() + life.first, live.begin() + life.last + 1);
  }

  /// Places buffers from `base` on; returns the end of the highest. No order is the best for every entry: a few are tried, each
  /// again with the buffers first that ended too high, until one comes near what lives at once.
  int64_t place(int64_t base) {
    auto area = [](const Life *life) { return life->size * (life->last - life->first + 1); };
    auto length = [](const Life *life) { return life->last - life->first; };
    using Before = std::function<bool(const Life *, const Life *)>;
    const Before orders[] = {
        [](auto *a, auto *b) { return a->size != b->size ? a->size > b->size : a->first < b->first; },
        [&](auto *a, auto *b) { return area(a) != area(b) ? area(a) > area(b) : a->first < b->first; },
        [&](auto *a, auto *b) { return length(a) != length(b) ? length(a) > length(b) : a->size > b->size; },
        [](auto *a, auto *b) { return a->first != b->first ? a->first < b->first : a->size > b->size; },
        [](auto *a, auto *b) { return a->crowd != b->crowd ? a->crowd > b->crowd : a->size > b->size; },
    };
    constexpr int kRounds = 4;
    const int64_t enough = base + liveBytes() + liveBytes() / 500;
    int64_t best = std::numeric_limits<int64_t>::max();
    SmallVector<Life *> order = llvm::map_to_vector(lives, [](Life &life) { return &life; });
    for (const Before &before : orders) {
      llvm::stable_sort(order, before);
      for (int round = 0; round < kRounds && best > enough; ++round) {
        if (int64_t end = placeInOrder(base, order); end < best) {
          best = end;
          for (Life &life : lives)
            life.buffer.setOffset(life.offset);
        }
        std::stable_partition(order.begin(), order.end(), [&](Life *life) { return life->offset + life->size > enough; });
      }
    }
    return best;
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
  /// Each at the lowest gap that fits; the end of the highest.
  int64_t placeInOrder(int64_t base, ArrayRef<Life *> order) {
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
      end = std::max(end, offset + life->size);
    }
    return end;
  }

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
    Builder b(&getContext());
    SmallVector<NamedAttribute> arenas;
    for (Tier tier : {Tier::Device, Tier::Pinned, Tier::Host, Tier::Disk}) {
      auto [arena, live] = assign(tier);
      if (tier == Tier::Device) {
        arenaBytes = arena;
        liveBytes = live;
      }
      if (arena || tier == Tier::Device)
        arenas.push_back(b.getNamedAttr(stringifyTier(tier), b.getI64IntegerAttr(arena)));
    }
    for (auto entry : getOperation().getOps<EntryOp>())
      for (auto buffer : llvm::make_early_inc_range(entry.getBody().front().getOps<BufferOp>()))
        if (!buffer.getOffset())
          eraseUnused(entry, buffer);
    getOperation()->setAttr("plan.arena_bytes", b.getDictionaryAttr(arenas));
  }

  /// Places the buffers of a tier; the size of its arena and the most that is ever live in it.
  std::pair<int64_t, int64_t> assign(Tier tier) {
    int64_t persistent = 0;
    for (auto buffer : getOperation().getOps<BufferOp>())
      if (buffer.getTier() == tier) {
        buffer.setOffset(persistent);
        persistent += aligned(buffer.getBytes(), tier);
      }
    int64_t arena = persistent, live = persistent;
    for (auto entry : getOperation().getOps<EntryOp>()) {
      EntryLayout layout(entry, tier);
      arena = std::max(arena, layout.place(persistent));
      live = std::max(live, persistent + layout.liveBytes());
    }
    return {arena, live};
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
