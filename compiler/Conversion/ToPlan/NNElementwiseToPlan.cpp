// What is computed element by element, in place of an operand that dies where there is one, and what moves elements.
#include "compiler/Conversion/ToPlan/NNToPlan.h"

#include "runtime/schema/activations.h"

using namespace mlir;
using namespace zp::nn;

namespace zp {

static_assert(static_cast<int64_t>(nn::Activation::Relu) == static_cast<int64_t>(zp::Activation::Relu) &&
              static_cast<int64_t>(nn::Activation::Gelu) == static_cast<int64_t>(zp::Activation::Gelu) &&
              static_cast<int64_t>(nn::Activation::GeluTanh) == static_cast<int64_t>(zp::Activation::GeluTanh));
template <typename OpT> static int64_t kindOf(OpT op) { return static_cast<int64_t>(op.getKind()); }

static void lower(AddOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), {op.getA(), op.getB()}, op);
  l.emit<plan::AddOp>(op, l.memory.view(op.getA()), l.memory.view(op.getB()), l.memory.view(target));
}

static void lower(ScaleOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), op.getX(), op);
  l.emit<plan::ScaleOp>(op, l.memory.view(op.getX()), l.memory.view(target), op.getFactor());
}

static void lower(CastOp op, Lowering &l) {
  Place target = l.memory.define(op.getResult());
  l.emit<plan::CastOp>(op, l.memory.view(op.getX()), l.memory.view(target));
}

/// The same bytes under another shape.
static void lower(ReshapeOp op, Lowering &l) {
  Place place = l.memory.placeOf(op.getX());
  place.type = cast<RankedTensorType>(op.getType());
  l.memory.bind(op.getResult(), place);
}

static void lower(DropoutOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), op.getX(), op);
  l.emit<plan::DropoutOp>(op, l.memory.view(op.getX()), l.memory.view(op.getScalars()), l.memory.view(target), op.getProbability(),
                          static_cast<int64_t>(op.getSite()), static_cast<int64_t>(op.getLength()));
}

static void lower(SiluMulOp op, Lowering &l) {
  Place target = l.memory.define(op.getResult());
  l.emit<plan::SiluMulOp>(op, l.memory.view(op.getGate()), l.memory.view(op.getUp()), l.memory.view(target));
}

static void lower(SiluMulGradientOp op, Lowering &l) {
  Place gate = l.memory.defineInPlaceOf(op.getGateGradient(), op.getGate(), op), up = l.memory.defineInPlaceOf(op.getUpGradient(), op.getUp(), op);
  l.emit<plan::SiluMulGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getGate()), l.memory.view(op.getUp()), l.memory.view(gate),
                                  l.memory.view(up));
}

static void lower(ActivationOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), op.getX(), op);
  l.emit<plan::ActivationOp>(op, l.memory.view(op.getX()), l.memory.view(target), kindOf(op));
}

static void lower(ActivationGradientOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), {op.getGradient(), op.getX()}, op);
  l.emit<plan::ActivationGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getX()), l.memory.view(target), kindOf(op));
}

static void lower(GatedActivationOp op, Lowering &l) {
  Place target = l.memory.define(op.getResult());
  l.emit<plan::GatedActivationOp>(op, l.memory.view(op.getGate()), l.memory.view(op.getUp()), l.memory.view(target), kindOf(op));
}

static void lower(GatedActivationGradientOp op, Lowering &l) {
  Place gate = l.memory.defineInPlaceOf(op.getGateGradient(), op.getGate(), op), up = l.memory.defineInPlaceOf(op.getUpGradient(), op.getUp(), op);
  l.emit<plan::GatedActivationGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getGate()), l.memory.view(op.getUp()),
                                          l.memory.view(gate), l.memory.view(up), kindOf(op));
}

/// Nothing but fp16 is clamped: the result is x itself.
static void lower(ClampHalfOp op, Lowering &l) {
  if (dtypeOf(op.getX()) != DType::F16)
    return l.memory.bind(op.getResult(), l.memory.placeOf(op.getX()));
  Place target = l.memory.defineInPlaceOf(op.getResult(), op.getX(), op);
  l.emit<plan::ClampHalfOp>(op, l.memory.view(op.getX()), l.memory.view(target));
}

static void lower(ClampHalfGradientOp op, Lowering &l) {
  if (dtypeOf(op.getGradient()) != DType::F16)
    return l.memory.bind(op.getResult(), l.memory.placeOf(op.getGradient()));
  Place target = l.memory.defineInPlaceOf(op.getResult(), op.getGradient(), op);
  l.emit<plan::ClampHalfGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getClamped()), l.memory.view(target));
}

static void lower(SplitQkvOp op, Lowering &l) {
  Place query = l.memory.define(op.getQuery()), key = l.memory.define(op.getKey()), value = l.memory.define(op.getValue());
  l.emit<plan::SplitQkvOp>(op, l.memory.view(op.getX()), l.memory.view(query), l.memory.view(key), l.memory.view(value),
                           static_cast<int64_t>(op.getHeads()), static_cast<int64_t>(op.getKvHeads()));
}

static void lower(JoinQkvOp op, Lowering &l) {
  Place target = l.memory.define(op.getResult());
  l.emit<plan::JoinQkvOp>(op, l.viewIf(op.getQuery()), l.viewIf(op.getKey()), l.viewIf(op.getValue()), l.memory.view(target),
                          static_cast<int64_t>(op.getHeads()), static_cast<int64_t>(op.getKvHeads()));
}

static void lower(RowsOp op, Lowering &l) {
  Place target = l.memory.define(op.getResult());
  l.emit<plan::CopyRowsOp>(op, l.memory.view(op.getX()), l.memory.view(op.getScalars()), l.memory.view(target));
}

bool lowerElementwise(Operation *op, Lowering &l) {
  return lowerOneOf<AddOp, ScaleOp, CastOp, ReshapeOp, DropoutOp, SiluMulOp, SiluMulGradientOp, ActivationOp, ActivationGradientOp, GatedActivationOp,
                    GatedActivationGradientOp, ClampHalfOp, ClampHalfGradientOp, SplitQkvOp, JoinQkvOp, RowsOp>(op, l);
}

} // namespace zp
