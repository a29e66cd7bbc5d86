// From nf4 ops to their mathematics (OpMath.h). A 4-bit tensor is held as the numbers that it stands for.
#include "compiler/Support/Storage.h"
#include "tests/interpreter/Machine.h"
#include "tests/interpreter/OpMath.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace zp::interpreter {

LogicalResult runNF4Op(Operation *op, Frame &f, bool &handled) {
  handled = true;
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](nf4::QuantizeOp o) {
        return f.out(o, quantize(f.in(o.getValue()), *quantRecordsOf(cast<RankedTensorType>(o.getType()).getElementType()))), success();
      })
      .Case([&](nf4::DequantizeOp o) { return f.out(o, Tensor(f.in(o.getValue()))), success(); })
      .Case([&](nf4::LinearOp o) {
        Tensor result = linear(f.in(o.getX()), f.in(o.getWeight()), f.maybe(o.getBias()), f.maybe(o.getAddend()), o.getAlpha().convertToDouble());
        if (o.getBranchX())
          addLinear(f.in(o.getBranchX()), f.in(o.getBranchWeight()), o.getBranchAlpha().convertToDouble(), result);
        return f.out(o, result), success();
      })
      .Case([&](nf4::LinearInputGradientOp o) {
        Tensor result = linearInputGradient(f.in(o.getGradient()), f.in(o.getWeight()), f.maybe(o.getAddend()), o.getAlpha().convertToDouble());
        if (o.getBranchGradient())
          addLinearInputGradient(f.in(o.getBranchGradient()), f.in(o.getBranchWeight()), o.getBranchAlpha().convertToDouble(), result);
        return f.out(o, result), success();
      })
      .Default([&](Operation *) { return handled = false, success(); });
}

} // namespace zp::interpreter
