// The loss, and what ends a step: the gradients' norm and the metrics.
#include "compiler/Conversion/ToPlan/NNToPlan.h"

#include "runtime/schema/workspaces.h"

using namespace mlir;
using namespace zp::nn;

namespace zp {

/// Tokens whose logits are formed at a time: as the module says, or as many more as the target has room for.
template <typename OpT> static int64_t chunkOf(OpT op, Lowering &l) {
  constexpr int64_t kMost = 1024, kStep = 128; // more gains nothing; rows of a GPU's tile
  const int64_t row = rows(op.getWeight()) * tensorTypeOf(op.getHidden()).getElementTypeBitWidth() / 8;
  const int64_t fitting = std::min(static_cast<int64_t>(l.target.logitBytes) / row / kStep * kStep, kMost);
  return std::max(static_cast<int64_t>(op.getChunk()), std::min(fitting, rows(op.getHidden())));
}

/// Where the loss is added: the state itself, when that is all that happens to it.
template <typename OpT> static Place defineLoss(OpT op, Lowering &l) {
  auto user = op.getLoss().hasOneUse() ? dyn_cast<AddStateOp>(*op.getLoss().getUsers().begin()) : AddStateOp();
  if (!user)
    return l.defineZeroed(op, op.getLoss());
  Place state = l.stateOf(user.getStateAttr(), op.getLoss());
  l.memory.bind(op.getLoss(), state);
  return state;
}

template <typename OpT> static void crossEntropy(OpT op, Value hiddenGradient, Value weightGradient, Value scalars, Lowering &l) {
  Place loss = defineLoss(op, l);
  Value hidden = op.getHidden(), weight = op.getWeight();
  const int64_t chunk = chunkOf(op, l);
  Value workspace = l.workspace(linearCrossEntropyWorkspaceBytes(chunk, rows(hidden), rows(weight), columns(hidden), dtypeOf(hidden)));
  Value gradHidden = hiddenGradient ? l.memory.view(l.memory.define(hiddenGradient)) : Value();
  Value gradWeight = weightGradient ? l.memory.view(l.defineZeroed(op, weightGradient)) : Value();
  l.emit<plan::LinearCrossEntropyOp>(op, l.memory.view(hidden), l.memory.view(weight), l.memory.view(op.getLabels()), workspace, l.memory.view(loss),
                                     gradHidden, gradWeight, l.viewIf(scalars), chunk, static_cast<int64_t>(op.getLength()));
}

static void lower(LinearCrossEntropyOp op, Lowering &l) { crossEntropy(op, Value(), Value(), Value(), l); }

static void lower(LinearCrossEntropyGradientOp op, Lowering &l) {
  crossEntropy(op, op.getHiddenGradient(), op.getWeightGradient(), op.getScalars(), l);
}

static void lower(SumSquaresOp op, Lowering &l) {
  Place target = l.defineZeroed(op, op.getResult());
  for (Value tensor : op.getTensors())
    l.emit<plan::SumSquaresOp>(op, l.memory.view(tensor), l.memory.view(target));
}

static void lower(FinishStepOp op, Lowering &l) {
  Value coefficient = l.memory.view(l.memory.define(op.getCoefficient())), metrics = l.memory.view(l.memory.define(op.getMetrics()));
  l.emit<plan::FinishStepOp>(op, l.memory.view(op.getSquareSum()), l.memory.view(op.getLossSum()), l.memory.view(op.getScalars()), coefficient,
                             metrics, op.getMaxNorm());
}

bool lowerLosses(Operation *op, Lowering &l) {
  return lowerOneOf<LinearCrossEntropyOp, LinearCrossEntropyGradientOp, SumSquaresOp, FinishStepOp>(op, l);
}

} // namespace zp
