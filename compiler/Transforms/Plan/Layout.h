// Where the buffers of an entry go in a tier's arena.
#ifndef ZP_COMPILER_TRANSFORMS_PLAN_LAYOUT_H
#define ZP_COMPILER_TRANSFORMS_PLAN_LAYOUT_H

#include "compiler/Transforms/Plan/Lives.h"
#include "mlir/IR/BuiltinOps.h"

namespace zp::plan {

class EntryLayout {
public:
  EntryLayout(EntryOp entry, Tier tier);

  /// Finds places from `base` on; returns the end of the highest. No order is the best for every entry: a few are tried, each
  /// again with the buffers first that ended too high, until one comes near what lives at once, or ends at `ample`.
  int64_t place(int64_t base, int64_t ample);

  /// Gives the buffers the places that were found.
  void setOffsets();

  /// The most bytes that live at one time.
  int64_t liveBytes() const { return most; }

private:
  /// A buffer of the entry and its place.
  struct Placed : Life {
    int64_t crowd = 0;            ///< the most bytes that live at one time of its life
    int64_t offset = 0, best = 0; ///< in the order at hand, and in the tightest so far
  };

  /// Of every buffer: what the last of the orders goes by.
  void findCrowds();

  /// Each at the lowest gap that fits; the end of the highest.
  static int64_t placeInOrder(int64_t base, llvm::ArrayRef<Placed *> order);

  std::vector<Placed> buffers;
  std::vector<int64_t> live; ///< bytes at each position
  int64_t most = 0;
};

/// Of the bytes that live at once in the fullest entry, one part of so many is left alone by what fills free memory: buffers that change places
/// near the peak leave gaps in an arena. The second is for an entry whose arena would grow with the first.
constexpr int64_t kUnusedParts[] = {20, 5};

/// Bytes of a tier that the entry with most of them has alive at one time, and where the last entry's buffers end.
struct Fullest {
  int64_t live = 0, arena = 0;
  /// Where an entry may end that a pass has changed, with `more` bytes set aside for that.
  int64_t ample(int64_t more = 0) const;
};
Fullest fullestOf(mlir::ModuleOp module, Tier tier);

/// Changes a copy of the entry; it takes the entry's place if `change` says that it did something, and if its buffers on the device end at
/// `ample` at most.
bool changeIfPlaced(EntryOp entry, int64_t ample, llvm::function_ref<bool(EntryOp)> change);

/// What a layout may take beside `bytes` that live at once before another order is tried.
constexpr int64_t toleratedGaps(int64_t bytes) { return bytes / 500; }

} // namespace zp::plan

#endif // ZP_COMPILER_TRANSFORMS_PLAN_LAYOUT_H
