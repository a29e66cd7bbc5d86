#include "compiler/Transforms/Plan/Layout.h"

#include <functional>
#include <limits>

#include "compiler/Transforms/Plan/OccupiedSpace.h"

using namespace mlir;

namespace zp::plan {

EntryLayout::EntryLayout(EntryOp entry, Tier tier) {
  const std::vector<Life> lives = livesOf(entry, tier);
  live = zp::plan::liveBytes(entry, lives);
  most = *std::max_element(live.begin(), live.end());
  for (const Life &life : lives)
    buffers.push_back({life});
}

void EntryLayout::findCrowds() {
  for (Placed &placed : buffers)
    placed.crowd = *std::max_element(live.begin() + placed.first, live.begin() + placed.last + 1);
}

int64_t EntryLayout::place(int64_t base, int64_t ample) {
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
  const int64_t enough = std::max(ample, base + liveBytes() + toleratedGaps(liveBytes()));
  int64_t best = std::numeric_limits<int64_t>::max();
  SmallVector<Placed *> order = llvm::map_to_vector(buffers, [](Placed &life) { return &life; });
  for (const Before &before : orders) {
    if (best <= enough)
      break;
    if (&before == std::end(orders) - 1)
      findCrowds();
    llvm::stable_sort(order, before);
    for (int round = 0; round < kRounds && best > enough; ++round) {
      if (int64_t end = placeInOrder(base, order); end < best) {
        best = end;
        for (Placed &life : buffers)
          life.best = life.offset;
      }
      std::stable_partition(order.begin(), order.end(), [&](Placed *life) { return life->offset + life->size > enough; });
    }
  }
  return best;
}

void EntryLayout::setOffsets() {
  for (Placed &placed : buffers)
    placed.buffer.setOffset(placed.best);
}

int64_t EntryLayout::placeInOrder(int64_t base, ArrayRef<Placed *> order) {
  OccupiedSpace occupied;
  int64_t end = base;
  for (Placed *life : order) {
    life->offset = occupied.lowestFree(*life, base);
    occupied.add(*life, life->offset);
    end = std::max(end, life->offset + life->size);
  }
  return end;
}

int64_t Fullest::ample(int64_t more) const { return arena + toleratedGaps(arena) + more; }

Fullest fullestOf(ModuleOp module, Tier tier) {
  Fullest fullest;
  for (auto entry : module.getOps<EntryOp>()) {
    EntryLayout layout(entry, tier);
    fullest.live = std::max(fullest.live, layout.liveBytes());
    fullest.arena = std::max(fullest.arena, layout.place(0, fullest.arena));
  }
  return fullest;
}

bool changeIfPlaced(EntryOp entry, int64_t ample, llvm::function_ref<bool(EntryOp)> change) {
  EntryOp trial = entry.clone();
  if (!change(trial) || EntryLayout(trial, Tier::Device).place(0, ample) > ample) {
    trial.erase();
    return false;
  }
  entry->getBlock()->getOperations().insert(entry->getIterator(), trial);
  entry.erase();
  return true;
}

} // namespace zp::plan
