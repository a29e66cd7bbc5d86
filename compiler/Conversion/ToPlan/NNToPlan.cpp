#include "compiler/Conversion/ToPlan/NNToPlan.h"

namespace zp {

bool lowerNN(mlir::Operation *op, Lowering &l) {
  return lowerStates(op, l) || lowerLinears(op, l) || lowerElementwise(op, l) || lowerNorms(op, l) || lowerAttention(op, l) || lowerLosses(op, l);
}

} // namespace zp
