#include "compiler/Transforms/Plan/Layout.h"

#include <functional>
#include <limits>

using namespace mlir;

namespace zp::plan {
namespace {

/// What has a place, by offset: all of it and, for most buffers live short, what lives in each slice of the entry.
class Occupied {
public:
  /// The lowest offset from `base` on where the life meets nothing.
  int64_t lowestFree(const Life &life, int64_t base) {
    int64_t offset = base;
    for (const Taken &other : near(life))
      if (other.first <= life.last && life.first <= other.last) {
        if (offset + life.size <= other.offset)
          break;
        offset = std::max(offset, other.end);
      }
    return offset;
  }

  void add(const Life &life, int64_t offset) {
    const Taken taken{offset, offset + life.size, life.first, life.last};
    all.push_back(taken);
    if (slices.size() <= life.last / kSlice)
      slices.resize(life.last / kSlice + 1);
    for (unsigned slice = life.first / kSlice; slice <= life.last / kSlice; ++slice)
      slices[slice].insert(llvm::upper_bound(slices[slice], taken, isLower), taken);
  }

private:
  static constexpr unsigned kSlice = 128; // positions
  struct Taken {
    int64_t offset, end;
    unsigned first, last;
  };
  using Takens = std::vector<Taken>;

  static bool isLower(const Taken &a, const Taken &b) { return a.offset < b.offset; }

  /// By offset, some perhaps twice: all that overlap the life, and others.
  const Takens &near(const Life &life) {
    ArrayRef<Takens> met = slices;
    met = met.slice(std::min<size_t>(life.first / kSlice, met.size()));
    met = met.take_front(life.last / kSlice - life.first / kSlice + 1);
    if (met.size() == 1)
      return met.front();
    size_t count = 0;
    for (const Takens &slice : met)
      count += slice.size();
    if (count * 8 > all.size()) // sorting costs more than looking
      return everything();
    gathered.clear();
    for (const Takens &slice : met)
      gathered.insert(gathered.end(), slice.begin(), slice.end());
    llvm::sort(gathered, isLower);
    return gathered;
  }

  const Takens &everything() {
    std::sort(all.begin() + sorted, all.end(), isLower);
    std::inplace_merge(all.begin(), all.begin() + sorted, all.end(), isLower);
    sorted = static_cast<ptrdiff_t>(all.size());
    return all;
  }

  Takens all, gathered;
  ptrdiff_t sorted = 0; ///< so many of all are, the others came later
  std::vector<Takens> slices;
};

} // namespace

EntryLayout::EntryLayout(EntryOp entry, Tier tier) {
  const std::vector<Life> lives = livesOf(entry, tier);
  const std::vector<int64_t> live = zp::plan::liveBytes(entry, lives);
  most = *std::max_element(live.begin(), live.end());
  for (const Life &life : lives)
    buffers.push_back({life, *std::max_element(live.begin() + life.first, live.begin() + life.last + 1)});
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
  Occupied occupied;
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
