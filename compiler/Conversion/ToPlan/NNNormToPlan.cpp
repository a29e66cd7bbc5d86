// Norms and their gradients; those of weights are added to memory that is zero before.
#include "compiler/Conversion/ToPlan/NNToPlan.h"

using namespace mlir;
using namespace zp::nn;

namespace zp {

static Value zeroedIf(Operation *op, Value gradient, Lowering &l) { return gradient ? l.memory.view(l.defineZeroed(op, gradient)) : Value(); }

static void lower(RmsNormOp op, Lowering &l) {
  Value target = l.memory.view(l.memory.define(op.getResult())), rstd = l.memory.view(l.memory.define(op.getRstd()));
  l.emit<plan::RmsNormOp>(op, l.memory.view(op.getX()), l.memory.view(op.getWeight()), target, rstd, op.getEpsilon());
}

static void lower(RmsNormGradientOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), {op.getResidual(), op.getGradient()}, op);
  Value weight = zeroedIf(op, op.getWeightGradient(), l);
  l.emit<plan::RmsNormGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getX()), l.memory.view(op.getWeight()),
                                  l.memory.view(op.getRstd()), l.viewIf(op.getResidual()), l.memory.view(target), weight);
}

static void lower(LayerNormOp op, Lowering &l) {
  Value target = l.memory.view(l.memory.define(op.getResult())), mean = l.memory.view(l.memory.define(op.getMean())),
        rstd = l.memory.view(l.memory.define(op.getRstd()));
  l.emit<plan::LayerNormOp>(op, l.memory.view(op.getX()), l.memory.view(op.getWeight()), l.memory.view(op.getBias()), target, mean, rstd,
                            op.getEpsilon());
}

static void lower(LayerNormGradientOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), {op.getResidual(), op.getGradient()}, op);
  Value weight = zeroedIf(op, op.getWeightGradient(), l), bias = zeroedIf(op, op.getBiasGradient(), l);
  l.emit<plan::LayerNormGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getX()), l.memory.view(op.getWeight()),
                                    l.memory.view(op.getMean()), l.memory.view(op.getRstd()), l.viewIf(op.getResidual()), l.memory.view(target),
                                    weight, bias);
}

bool lowerNorms(Operation *op, Lowering &l) { return lowerOneOf<RmsNormOp, RmsNormGradientOp, LayerNormOp, LayerNormGradientOp>(op, l); }

} // namespace zp
