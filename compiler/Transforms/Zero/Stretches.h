// When a program uses what has to be brought to it: what gathering and prefetching reason about.
#ifndef ZP_COMPILER_TRANSFORMS_ZERO_STRETCHES_H
#define ZP_COMPILER_TRANSFORMS_ZERO_STRETCHES_H

#include "dialects/NN/IR/NNDialect.h"
#include "llvm/ADT/SetVector.h"

namespace zp::zero {

/// Ops of one unit in one direction that use what is brought, with none of another unit between them.
struct Stretch {
  mlir::Attribute unit;
  bool backward;
  mlir::Operation *first;                             ///< the first of these ops
  llvm::SmallSetVector<mlir::Operation *, 4> brought; ///< what they use, as `bringerOf` names it
};

/// The stretches of a program, in order. `bringerOf` gives what brings an operand, or null when nothing has to.
inline llvm::SmallVector<Stretch> stretchesOf(mlir::Block &body, llvm::function_ref<mlir::Operation *(mlir::Value)> bringerOf) {
  llvm::SmallVector<Stretch> stretches;
  for (mlir::Operation &op : body)
    for (mlir::Value operand : op.getOperands())
      if (mlir::Operation *bringer = bringerOf(operand)) {
        mlir::Attribute unit = op.getAttr(nn::NNDialect::kUnitAttr);
        bool backward = op.hasAttr(nn::NNDialect::kBackwardAttr);
        if (stretches.empty() || stretches.back().unit != unit || stretches.back().backward != backward)
          stretches.push_back({unit, backward, &op, {}});
        stretches.back().brought.insert(bringer);
      }
  return stretches;
}

} // namespace zp::zero

#endif // ZP_COMPILER_TRANSFORMS_ZERO_STRETCHES_H
