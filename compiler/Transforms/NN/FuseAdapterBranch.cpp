#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"
#include "runtime/schema/limits.h"

namespace zp::nn {
#define GEN_PASS_DEF_FUSEADAPTERBRANCHPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// How many products an element of the result sums.
int64_t depthOf(LinearOp op) { return op.getWeight().getType().getDimSize(1); }
int64_t depthOf(LinearInputGradientOp op) { return op.getWeight().getType().getDimSize(0); }

Value factorOf(LinearOp op) { return op.getX(); }
Value factorOf(LinearInputGradientOp op) { return op.getGradient(); }
MutableOperandRange branchFactor(LinearOp op) { return op.getBranchXMutable(); }
MutableOperandRange branchFactor(LinearInputGradientOp op) { return op.getBranchGradientMutable(); }
bool hasBias(LinearOp op) { return static_cast<bool>(op.getBias()); }
bool hasBias(LinearInputGradientOp) { return false; }

/// `base` takes `low` as its branch and goes where `later` of the two is; the sum keeps the addend that neither has from the other.
template <typename OpT> void merge(OpT base, OpT low, OpT earlier, OpT later) {
  Value rest = earlier.getAddend();
  if (rest)
    later.getAddendMutable().assign(rest);
  else
    later.getAddendMutable().clear();
  base->moveBefore(later);
  branchFactor(base).assign(factorOf(low));
  base.getBranchWeightMutable().assign(low.getWeight());
  base.setBranchAlphaAttr(low.getAlphaAttr());
  if (base == later)
    return earlier.erase();
  if (rest)
    base.getAddendMutable().assign(rest);
  later.getResult().replaceAllUsesWith(base.getResult());
  later.erase();
}

/// later = product addend earlier, earlier being a product that nobody else reads.
template <typename OpT> void fuse(OpT later) {
  auto earlier = later.getAddend() ? later.getAddend().template getDefiningOp<OpT>() : OpT();
  if (!earlier || !earlier.getResult().hasOneUse() || earlier.getBranchWeight() || later.getBranchWeight())
    return;
  OpT base = depthOf(earlier) > depthOf(later) ? earlier : later, low = base == earlier ? later : earlier;
  if (depthOf(low) == depthOf(base) || depthOf(low) > zp::kMaxBranchRank || hasBias(low))
    return;
  merge(base, low, earlier, later);
}

struct FuseAdapterBranch : zp::nn::impl::FuseAdapterBranchPassBase<FuseAdapterBranch> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>()) {
      Block &body = program.getBody().front();
      for (auto linear : llvm::make_early_inc_range(body.getOps<LinearOp>()))
        fuse(linear);
      for (auto gradient : llvm::make_early_inc_range(body.getOps<LinearInputGradientOp>()))
        fuse(gradient);
    }
  }
};

} // namespace
