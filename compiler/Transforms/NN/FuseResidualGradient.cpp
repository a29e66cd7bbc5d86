#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

#include "llvm/ADT/TypeSwitch.h"

namespace zp::nn {
#define GEN_PASS_DEF_FUSERESIDUALGRADIENTPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// The op that makes the value, if it is the gradient of a norm's input, has no residual yet and no other user.
Operation *normOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return nullptr;
  bool bare = llvm::TypeSwitch<Operation *, bool>(op)
                  .Case<RmsNormGradientOp, LayerNormGradientOp>([](auto norm) { return !norm.getResidual(); })
                  .Default([](Operation *) { return false; });
  return bare && value == op->getResult(0) && value.hasOneUse() ? op : nullptr;
}

void setResidual(Operation *op, Value residual) {
  llvm::TypeSwitch<Operation *>(op).Case<RmsNormGradientOp, LayerNormGradientOp>([&](auto norm) { norm.getResidualMutable().assign(residual); });
}

struct FuseResidualGradient : zp::nn::impl::FuseResidualGradientPassBase<FuseResidualGradient> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>())
      for (auto add : llvm::make_early_inc_range(program.getBody().front().getOps<AddOp>())) {
        Operation *norm = normOf(add.getB());
        Value residual = add.getA();
        if (!norm) {
          norm = normOf(add.getA());
          residual = add.getB();
        }
        if (!norm || residual == norm->getResult(0))
          continue;
        // The gradients of the norm's parameters may be used before the add: only move what nobody needs earlier.
        Operation *other = residual.getDefiningOp();
        if (other && norm->isBeforeInBlock(other)) {
          if (llvm::any_of(norm->getUsers(), [&](Operation *user) { return user->isBeforeInBlock(add); }))
            continue;
          norm->moveBefore(add);
        }
        setResidual(norm, residual);
        add.getResult().replaceAllUsesWith(norm->getResult(0));
        add.erase();
      }
  }
};

} // namespace
