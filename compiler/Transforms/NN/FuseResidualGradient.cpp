#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

namespace zp::nn {
#define GEN_PASS_DEF_FUSERESIDUALGRADIENTPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

RmsNormGradientOp normOf(Value value) {
  auto op = value.getDefiningOp<RmsNormGradientOp>();
  return op && value.hasOneUse() && value == op.getResult() && !op.getResidual() ? op : RmsNormGradientOp();
}

struct FuseResidualGradient : zp::nn::impl::FuseResidualGradientPassBase<FuseResidualGradient> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>())
      for (auto add : llvm::make_early_inc_range(program.getBody().front().getOps<AddOp>())) {
        RmsNormGradientOp norm = normOf(add.getB());
        Value residual = add.getA();
        if (!norm) {
          norm = normOf(add.getA());
          residual = add.getB();
        }
        if (!norm || residual == norm.getResult())
          continue;
        // The weight's gradient may be used before the add: only move what nobody needs earlier.
        Operation *other = residual.getDefiningOp();
        if (other && norm->isBeforeInBlock(other)) {
          bool early = norm.getWeightGradient() && llvm::any_of(norm.getWeightGradient().getUsers(), [&](Operation *user) { return user->isBeforeInBlock(add); });
          if (early)
            continue;
          norm->moveBefore(add);
        }
        norm.getResidualMutable().assign(residual);
        add.getResult().replaceAllUsesWith(norm.getResult());
        add.erase();
      }
  }
};

} // namespace
