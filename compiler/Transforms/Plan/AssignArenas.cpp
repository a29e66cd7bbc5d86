#include "compiler/Transforms/Plan/Lives.h"
#include "compiler/Transforms/Plan/Passes.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

namespace zp::plan {
#define GEN_PASS_DEF_ASSIGNARENASPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

/// A buffer of an entry and its place.
struct Placed : Life {
  int64_t crowd = 0; ///< the most bytes that live at one time of its life
  int64_t offset = 0;
};

class EntryLayout {
public:
  EntryLayout(EntryOp entry, Tier tier) {
    const std::vector<Life> lives = livesOf(entry, tier);
    const std::vector<int64_t> live = zp::plan::liveBytes(entry, lives);
    most = *std::max_element(live.begin(), live.end());
    for (const Life &life : lives)
      buffers.push_back({life, *std::max_element(live.begin() + life.first, live.begin() + life.last + 1)});
  }

  /// Places buffers from `base` on; returns the end of the highest. No order is the best for every entry: a few are tried, each
  /// again with the buffers first that ended too high, until one comes near what lives at once.
  int64_t place(int64_t base) {
    auto area = [](const Placed *life) { return life->size * (life->last - life->first + 1); };
    auto length = [](const Placed *life) { return life->last - life->first; };
    using Before = std::function<bool(const Placed *, const Placed *)>;
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
    SmallVector<Placed *> order = llvm::map_to_vector(buffers, [](Placed &life) { return &life; });
    for (const Before &before : orders) {
      llvm::stable_sort(order, before);
      for (int round = 0; round < kRounds && best > enough; ++round) {
        if (int64_t end = placeInOrder(base, order); end < best) {
          best = end;
          for (Placed &life : buffers)
            life.buffer.setOffset(life.offset);
        }
        std::stable_partition(order.begin(), order.end(), [&](Placed *life) { return life->offset + life->size > enough; });
      }
    }
    return best;
  }

  /// The most bytes that live at one time.
  int64_t liveBytes() const { return most; }

private:
  /// Each at the lowest gap that fits; the end of the highest.
  int64_t placeInOrder(int64_t base, ArrayRef<Placed *> order) {
    std::vector<Placed *> placed; // by offset
    int64_t end = base;
    for (Placed *life : order) {
      int64_t offset = base;
      for (Placed *other : placed)
        if (other->overlaps(*life)) {
          if (offset + life->size <= other->offset)
            break;
          offset = std::max(offset, other->offset + other->size);
        }
      life->offset = offset;
      placed.insert(llvm::upper_bound(placed, life, [](Placed *a, Placed *b) { return a->offset < b->offset; }), life);
      end = std::max(end, offset + life->size);
    }
    return end;
  }

  std::vector<Placed> buffers;
  int64_t most = 0;
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
