// Patterns of the nf4 dialect: products with records.
#include "compiler/Conversion/ToPlan/ToPlan.h"
#include "compiler/Support/Storage.h"
#include "dialects/NF4/IR/NF4Dialect.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace zp::nf4;

namespace zp {

/// Bytes of the dequantised panel that the target multiplies by: the whole weight, where that is smaller.
static uint64_t panelBytes(RankedTensorType weight, Value a, const Target &target) {
  uint64_t whole = weight.getNumElements() * cast<RankedTensorType>(a.getType()).getElementTypeBitWidth() / 8;
  return std::min(target.panelBytes, whole);
}

/// target = alpha·a·op(weight) (+ branch) (+ bias) (+ addend, in place of it where it dies).
template <typename OpT> static void product(OpT op, Value a, Value bias, Value branchA, bool transpose, Lowering &l) {
  auto type = cast<RankedTensorType>(op.getWeight().getType());
  QuantRecords records = *quantRecordsOf(type.getElementType());
  Place target = l.defineSum(op, op.getAddend(), op.getResult());
  Value workspace = l.productWorkspace(panelBytes(type, a, l.target));
  l.emit<plan::NF4MatmulOp>(op, l.memory.view(a), l.memory.view(op.getWeight()), l.viewIf(bias), l.viewIf(branchA), l.viewIf(op.getBranchWeight()),
                            workspace, /*floats=*/Value(), l.memory.view(target), type.getDimSize(0), type.getDimSize(1), transpose, op.getAlpha(),
                            static_cast<bool>(op.getAddend()), static_cast<int64_t>(records.type), static_cast<int64_t>(records.blockSize),
                            records.nested, op.getBranchAlpha());
}

bool lowerNF4(Operation *operation, Lowering &l) {
  return llvm::TypeSwitch<Operation *, bool>(operation)
      .Case([&](LinearOp op) { return product(op, op.getX(), op.getBias(), op.getBranchX(), /*transpose=*/true, l), true; })
      .Case([&](LinearInputGradientOp op) { return product(op, op.getGradient(), Value(), op.getBranchGradient(), /*transpose=*/false, l), true; })
      .Case([&](DequantizeOp op) {
        QuantRecords records = *quantRecordsOf(cast<RankedTensorType>(op.getValue().getType()).getElementType());
        l.emit<plan::NF4DequantizeOp>(op, l.memory.view(op.getValue()), l.memory.view(l.memory.define(op.getResult())),
                                      static_cast<int64_t>(records.type), static_cast<int64_t>(records.blockSize), records.nested);
        return true;
      })
      .Default([](Operation *) { return false; });
}

} // namespace zp
