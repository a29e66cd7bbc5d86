// What of an arena is taken while buffers are placed one after another, and the lowest gap for the next.
#ifndef ZP_COMPILER_TRANSFORMS_PLAN_OCCUPIEDSPACE_H
#define ZP_COMPILER_TRANSFORMS_PLAN_OCCUPIEDSPACE_H

#include <algorithm>
#include <vector>

#include "compiler/Transforms/Plan/Lives.h"
#include "llvm/ADT/STLExtras.h"

namespace zp::plan {

/// Places by offset: all of them and, for most buffers live short, those in each slice of the entry.
class OccupiedSpace {
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

  /// Of equals any may be first: a life that meets both is moved past both.
  static bool isLower(const Taken &a, const Taken &b) { return a.offset < b.offset; }

  /// By offset, some perhaps twice: all that overlap the life, and others.
  const Takens &near(const Life &life) {
    llvm::ArrayRef<Takens> met = slices;
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

} // namespace zp::plan

#endif // ZP_COMPILER_TRANSFORMS_PLAN_OCCUPIEDSPACE_H
