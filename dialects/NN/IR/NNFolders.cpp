#include "dialects/NN/IR/NNDialect.h"

using namespace mlir;

namespace zp::nn {

OpFoldResult ScaleOp::fold(FoldAdaptor) { return getFactor().convertToDouble() == 1.0 ? getX() : Value(); }

OpFoldResult CastOp::fold(FoldAdaptor) { return getX().getType() == getType() ? getX() : Value(); }

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getX().getType() == getType())
    return getX();
  if (auto inner = getX().getDefiningOp<ReshapeOp>()) {
    setOperand(inner.getX());
    return getResult();
  }
  return {};
}

} // namespace zp::nn
