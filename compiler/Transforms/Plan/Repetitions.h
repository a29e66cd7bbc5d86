// Which instructions of an entry compute again what an earlier one has computed.
#ifndef ZP_COMPILER_TRANSFORMS_PLAN_REPETITIONS_H
#define ZP_COMPILER_TRANSFORMS_PLAN_REPETITIONS_H

#include <vector>

#include "dialects/Plan/IR/PlanDialect.h"

namespace zp::plan {

/// The kernel at `at` writes, operand by operand, the bits that the one at `first` wrote: the same op with the same attributes on the same
/// values. `first` is the earliest; whether anything still has them is another question.
struct Repetition {
  unsigned at, first;
};

/// True for an instruction that computes what it writes of what it reads, and of nothing else.
bool isKernel(mlir::Operation *op);
/// True for an operand whose old value counts.
bool readsOld(mlir::Operation *op, const Access &access);

/// In order. `ops`: the entry's body.
std::vector<Repetition> repetitionsOf(llvm::ArrayRef<mlir::Operation *> ops);

} // namespace zp::plan

#endif // ZP_COMPILER_TRANSFORMS_PLAN_REPETITIONS_H
