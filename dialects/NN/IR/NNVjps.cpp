// Each op's own vector-Jacobian product. The mathematics stands in the op's description; here it is spelt in ops.
#include "dialects/NN/IR/NNDialect.h"

using namespace mlir;

namespace zp::nn {

/// The parameter-gradient type for a value: its shape in f32.
static RankedTensorType gradientType(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.clone(Float32Type::get(type.getContext()));
}

void LinearOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  Value g = grads[0];
  auto product = [&](unsigned operand, Value x, Value weight, FloatAttr alpha) {
    // The weight's gradient first: x is often dead after it, before its own gradient needs as much memory.
    if (needed[operand + 1])
      out[operand + 1] = LinearWeightGradientOp::create(b, getLoc(), gradientType(weight), g, x, alpha);
    if (needed[operand])
      out[operand] = LinearInputGradientOp::create(b, getLoc(), x.getType(), g, weight, Value(), Value(), Value(), alpha, FloatAttr());
  };
  product(0, getX(), getWeight(), getAlphaAttr());
  unsigned next = 2;
  if (getBias()) {
    if (needed[next])
      out[next] = ColumnSumOp::create(b, getLoc(), gradientType(getBias()), g);
    ++next;
  }
  if (getAddend()) {
    if (needed[next])
      out[next] = g;
    ++next;
  }
  if (getBranchX())
    product(next, getBranchX(), getBranchWeight(), getBranchAlphaAttr());
}

void EmbeddingOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[1])
    out[1] = EmbeddingGradientOp::create(b, getLoc(), gradientType(getTable()), getIds(), grads[0], getOffsetAttr(), getPaddingAttr());
}

void AddOp::buildVjp(OpBuilder &, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  for (unsigned i = 0; i < 2; ++i)
    if (needed[i])
      out[i] = grads[0];
}

void ScaleOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = ScaleOp::create(b, getLoc(), getX().getType(), grads[0], getFactorAttr());
}

void CastOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (!needed[0])
    return;
  // A parameter's gradient is f32, also where what was read of it is narrow.
  Type type = getX().getDefiningOp<ReadOp>() ? Type(gradientType(getX())) : getX().getType();
  out[0] = grads[0].getType() == type ? grads[0] : CastOp::create(b, getLoc(), type, grads[0]).getResult();
}

void ReshapeOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = ReshapeOp::create(b, getLoc(), getX().getType(), grads[0]);
}

void DropoutOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = DropoutOp::create(b, getLoc(), getX().getType(), grads[0], getScalars(), getProbabilityAttr(), getSiteAttr(), getLengthAttr());
}

void SiluMulOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  auto op = SiluMulGradientOp::create(b, getLoc(), getGate().getType(), getUp().getType(), grads[0], getGate(), getUp());
  if (needed[0])
    out[0] = op.getGateGradient();
  if (needed[1])
    out[1] = op.getUpGradient();
}

void ActivationOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = ActivationGradientOp::create(b, getLoc(), getX().getType(), grads[0], getX(), getKindAttr());
}

void ClampHalfOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = ClampHalfGradientOp::create(b, getLoc(), getX().getType(), grads[0], getResult());
}

void GatedActivationOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  auto op = GatedActivationGradientOp::create(b, getLoc(), getGate().getType(), getUp().getType(), grads[0], getGate(), getUp(), getKindAttr());
  if (needed[0])
    out[0] = op.getGateGradient();
  if (needed[1])
    out[1] = op.getUpGradient();
}

void SplitQkvOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = JoinQkvOp::create(b, getLoc(), getX().getType(), grads[0], grads[1], grads[2], getHeadsAttr(), getKvHeadsAttr());
}

void LayerNormOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  Type weightType = needed[1] ? Type(gradientType(getWeight())) : Type(), biasType = needed[2] ? Type(gradientType(getBias())) : Type();
  auto op =
      LayerNormGradientOp::create(b, getLoc(), getX().getType(), weightType, biasType, grads[0], getX(), getWeight(), getMean(), getRstd(), Value());
  for (unsigned i = 0; i < 3; ++i)
    if (needed[i])
      out[i] = i == 0 ? op.getResult() : i == 1 ? op.getWeightGradient() : op.getBiasGradient();
}

void RmsNormOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  Type weightType = needed[1] ? Type(gradientType(getWeight())) : Type();
  auto op = RmsNormGradientOp::create(b, getLoc(), getX().getType(), weightType, grads[0], getX(), getWeight(), getRstd(), Value());
  if (needed[0])
    out[0] = op.getResult();
  if (needed[1])
    out[1] = op.getWeightGradient();
}

void RopeOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = RopeOp::create(b, getLoc(), getX().getType(), grads[0], getCosine(), getSine(), getHeadDimAttr(),
                            getInverse() ? UnitAttr() : b.getUnitAttr());
}

void AttentionOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  const unsigned bias = 5; // the operand after query, key, value and both segments
  Type biasType = getBias() && needed[bias] ? getBias().getType() : Type();
  auto op = AttentionGradientOp::create(b, getLoc(), getQuery().getType(), getKey().getType(), getValue().getType(), biasType, grads[0], getQuery(),
                                        getKey(), getValue(), getResult(), getLogSumExp(), getSegments(), getKeySegments(), getBias(), getScalars(),
                                        getHeadsAttr(), getKvHeadsAttr(), getLengthAttr(), getKeyLengthAttr(), getCausalAttr(), getWindowAttr(),
                                        getScaleAttr(), getBiasKindAttr(), getDropoutAttr(), getSiteAttr());
  for (unsigned i = 0; i < 3; ++i)
    if (needed[i])
      out[i] = op.getResult(i);
  if (biasType)
    out[bias] = op.getBiasGradient();
}

void RelativeBiasOp::buildVjp(OpBuilder &b, ArrayRef<Value> grads, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  if (needed[0])
    out[0] = RelativeBiasGradientOp::create(b, getLoc(), gradientType(getTable()), grads[0], getLengthAttr(), getKeyLengthAttr(),
                                            getMaxDistanceAttr(), getBidirectionalAttr());
}

void LinearCrossEntropyOp::buildVjp(OpBuilder &b, ArrayRef<Value>, ArrayRef<bool> needed, MutableArrayRef<Value> out) {
  Type weightType = needed[1] ? Type(gradientType(getWeight())) : Type();
  auto op = LinearCrossEntropyGradientOp::create(b, getLoc(), getLoss().getType(), getHidden().getType(), weightType, getHidden(), getWeight(),
                                                 getLabels(), /*scalars=*/Value(), getChunkAttr(), getLengthAttr());
  if (needed[0])
    out[0] = op.getHiddenGradient();
  if (needed[1])
    out[1] = op.getWeightGradient();
}

} // namespace zp::nn
