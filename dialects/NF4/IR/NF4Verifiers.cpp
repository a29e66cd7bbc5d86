// The numbered constraints of the op descriptions.
#include "dialects/NF4/IR/NF4Dialect.h"

using namespace mlir;

namespace zp::nf4 {

static int64_t dim(Value value, unsigned index) { return cast<RankedTensorType>(value.getType()).getDimSize(index); }
static Type element(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

template <typename OpT> static LogicalResult verifyShapes(OpT op) {
  if (cast<RankedTensorType>(op.getValue().getType()).getShape() != cast<RankedTensorType>(op.getType()).getShape())
    return op.emitOpError("C1: the shapes differ");
  return success();
}
LogicalResult QuantizeOp::verify() { return verifyShapes(*this); }
LogicalResult DequantizeOp::verify() { return verifyShapes(*this); }

/// C5 of both products: the branch is first·op(second), of the result's shape and element type.
static LogicalResult verifyBranch(Operation *op, Value first, Value second, Value result, bool transposed) {
  if (!first && !second)
    return success();
  if (!first || !second || dim(first, 0) != dim(result, 0) || dim(first, 1) != dim(second, transposed) || dim(second, !transposed) != dim(result, 1))
    return op->emitOpError("C5: the branch's shapes do not give the result's, ") << result.getType();
  if (element(first) != element(result) || element(second) != element(result))
    return op->emitOpError("C4: the branch and the result need one element type");
  return success();
}

LogicalResult LinearOp::verify() {
  if (dim(getX(), 1) != dim(getWeight(), 1))
    return emitOpError("C1: x has ") << dim(getX(), 1) << " columns, the weight " << dim(getWeight(), 1);
  int64_t outputs = dim(getWeight(), 0);
  if (dim(getResult(), 1) != outputs || (getBias() && dim(getBias(), 0) != outputs))
    return emitOpError("C2: the weight has ") << outputs << " rows; bias and result need as many columns";
  if (dim(getResult(), 0) != dim(getX(), 0) || (getAddend() && getAddend().getType() != getResult().getType()))
    return emitOpError("C3: x has ") << dim(getX(), 0) << " rows; addend and result need the same shape";
  if (element(getResult()) != element(getX()) || (getBias() && element(getBias()) != element(getX())))
    return emitOpError("C4: x, bias, addend and result need one element type");
  return verifyBranch(*this, getBranchX(), getBranchWeight(), getResult(), /*transposed=*/true);
}

LogicalResult LinearInputGradientOp::verify() {
  if (dim(getGradient(), 1) != dim(getWeight(), 0))
    return emitOpError("C1: the gradient has ") << dim(getGradient(), 1) << " columns, the weight " << dim(getWeight(), 0) << " rows";
  if (dim(getResult(), 1) != dim(getWeight(), 1))
    return emitOpError("C2: the result has ") << dim(getResult(), 1) << " columns, the weight " << dim(getWeight(), 1);
  if (dim(getResult(), 0) != dim(getGradient(), 0) || (getAddend() && getAddend().getType() != getResult().getType()))
    return emitOpError("C3: the gradient has ") << dim(getGradient(), 0) << " rows; addend and result need the same shape";
  if (element(getResult()) != element(getGradient()))
    return emitOpError("C4: gradient, addend and result need one element type");
  return verifyBranch(*this, getBranchGradient(), getBranchWeight(), getResult(), /*transposed=*/false);
}

} // namespace zp::nf4
