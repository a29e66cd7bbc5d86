#include "compiler/Transforms/Plan/Layout.h"
#include "compiler/Transforms/Plan/Passes.h"

namespace zp::plan {
#define GEN_PASS_DEF_ASSIGNARENASPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

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
      arena = std::max(arena, layout.place(persistent, arena));
      layout.setOffsets();
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
