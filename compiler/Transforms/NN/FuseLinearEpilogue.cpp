#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

#include "llvm/ADT/TypeSwitch.h"

namespace zp::nn {
#define GEN_PASS_DEF_FUSELINEAREPILOGUEPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

void multiplyAlpha(Operation *op, double factor) {
  double alpha = op->getAttrOfType<FloatAttr>("alpha").getValueAsDouble();
  op->setAttr("alpha", Builder(op->getContext()).getF64FloatAttr(alpha * factor));
}

/// scale(product): the product takes the factor, if nobody else sees it and nothing but the product is in it.
bool foldScaleOfProduct(ScaleOp scale) {
  Operation *product = scale.getX().getDefiningOp();
  if (!product || !scale.getX().hasOneUse() || !isa<LinearOp, LinearInputGradientOp>(product))
    return false;
  auto linear = dyn_cast<LinearOp>(product);
  auto inputGradient = dyn_cast<LinearInputGradientOp>(product);
  if ((linear && (linear.getBias() || linear.getAddend())) || (inputGradient && inputGradient.getAddend()))
    return false;
  multiplyAlpha(product, scale.getFactor().convertToDouble());
  scale.getResult().replaceAllUsesWith(scale.getX());
  scale.erase();
  return true;
}

/// product(scale(g)) over an upstream gradient: both gradient ops of a linear take the factor of a scaled gradient.
bool foldScaleOfGradient(ScaleOp scale) {
  for (OpOperand &use : scale.getResult().getUses())
    if (use.getOperandNumber() != 0 || !isa<LinearInputGradientOp, LinearWeightGradientOp>(use.getOwner()))
      return false;
  for (Operation *user : scale.getResult().getUsers())
    multiplyAlpha(user, scale.getFactor().convertToDouble());
  scale.getResult().replaceAllUsesWith(scale.getX());
  scale.erase();
  return true;
}

/// The value as a product that can take an addend, or null.
Operation *productOf(Value value) {
  if (!value.hasOneUse())
    return nullptr;
  Operation *op = value.getDefiningOp();
  if (auto linear = dyn_cast_or_null<LinearOp>(op))
    return linear.getAddend() ? nullptr : op;
  if (auto gradient = dyn_cast_or_null<LinearInputGradientOp>(op))
    return gradient.getAddend() ? nullptr : op;
  return nullptr;
}

/// add(a, product): the product adds a itself. Of two products the later one, so that the earlier is at hand.
bool foldAdd(AddOp add) {
  Operation *pa = productOf(add.getA()), *pb = productOf(add.getB());
  if (add.getA() == add.getB() || (!pa && !pb))
    return false;
  bool second = pb && (!pa || pa->isBeforeInBlock(pb));
  Operation *product = second ? pb : pa;
  Value addend = second ? add.getA() : add.getB();
  product->moveBefore(add);
  llvm::TypeSwitch<Operation *>(product)
      .Case<LinearOp>([&](LinearOp op) { op.getAddendMutable().assign(addend); })
      .Case<LinearInputGradientOp>([&](LinearInputGradientOp op) { op.getAddendMutable().assign(addend); });
  add.getResult().replaceAllUsesWith(product->getResult(0));
  add.erase();
  return true;
}

struct FuseLinearEpilogue : zp::nn::impl::FuseLinearEpiloguePassBase<FuseLinearEpilogue> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>()) {
      Block &body = program.getBody().front();
      for (auto scale : llvm::make_early_inc_range(body.getOps<ScaleOp>()))
        if (!foldScaleOfGradient(scale))
          foldScaleOfProduct(scale);
      for (auto add : llvm::make_early_inc_range(body.getOps<AddOp>()))
        foldAdd(add);
    }
  }
};

} // namespace
