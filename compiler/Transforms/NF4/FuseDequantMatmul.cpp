#include "compiler/Transforms/NF4/Passes.h"

namespace zp::nf4 {
#define GEN_PASS_DEF_FUSEDEQUANTMATMULPASS
#include "compiler/Transforms/NF4/Passes.h.inc"
} // namespace zp::nf4

using namespace mlir;
using namespace zp::nf4;
namespace nn = zp::nn;

namespace {

/// The fused op takes the place of `product`, with its attributes (those of both dialects' ops have the same names).
template <typename FusedOp, typename ProductOp, typename... Operands> void replace(ProductOp product, Operands... operands) {
  OpBuilder b(product);
  auto fused = FusedOp::create(b, product.getLoc(), product.getResult().getType(), operands...);
  for (NamedAttribute attr : product->getDiscardableAttrs())
    fused->setDiscardableAttr(attr.getName(), attr.getValue());
  product.getResult().replaceAllUsesWith(fused.getResult());
  product.erase();
}

struct FuseDequantMatmul : zp::nf4::impl::FuseDequantMatmulPassBase<FuseDequantMatmul> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<nn::ProgramOp>()) {
      Block &body = program.getBody().front();
      for (auto dequantize : llvm::make_early_inc_range(body.getOps<DequantizeOp>())) {
        for (Operation *user : llvm::make_early_inc_range(dequantize.getResult().getUsers()))
          fuse(user, dequantize);
        if (dequantize->use_empty())
          dequantize.erase();
      }
    }
  }

  void fuse(Operation *user, DequantizeOp dequantize) {
    Value codes = dequantize.getValue(), floats = dequantize.getResult();
    if (auto linear = dyn_cast<nn::LinearOp>(user); linear && linear.getWeight() == floats)
      replace<LinearOp>(linear, linear.getX(), codes, linear.getBias(), linear.getAddend(), linear.getBranchX(), linear.getBranchWeight(),
                        linear.getAlphaAttr(), linear.getModuleAttr(), linear.getBranchAlphaAttr());
    else if (auto gradient = dyn_cast<nn::LinearInputGradientOp>(user); gradient && gradient.getWeight() == floats)
      replace<LinearInputGradientOp>(gradient, gradient.getGradient(), codes, gradient.getAddend(), gradient.getBranchGradient(),
                                     gradient.getBranchWeight(), gradient.getAlphaAttr(), gradient.getBranchAlphaAttr());
  }
};

} // namespace
