// From nn ops to their mathematics (OpMath.h).
#include "tests/interpreter/Machine.h"
#include "tests/interpreter/OpMath.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace zp::interpreter {

template <typename OpT> static AttentionShape attentionShape(OpT op, const Frame &f, int64_t keyLength, bool causal) {
  return {static_cast<int64_t>(op.getHeads()),
          static_cast<int64_t>(op.getKvHeads()),
          static_cast<int64_t>(op.getLength()),
          keyLength,
          op.getScale().convertToDouble(),
          causal,
          static_cast<int64_t>(op.getWindow()),
          f.maybe(op.getBias()),
          op.getBiasKind() == nn::BiasKind::ByDistance};
}
template <typename OpT> static AttentionShape attentionShape(OpT op, const Frame &f) {
  AttentionShape shape = attentionShape(op, f, static_cast<int64_t>(op.getKeyLength()), op.getCausal());
  if (op.getScalars())
    shape.dropout = {op.getDropout().convertToDouble(), static_cast<int64_t>(op.getSite()), scalarsOf(f.in(op.getScalars()))};
  return shape;
}
template <typename OpT> static RelativeBiasShape relativeBiasShape(OpT op) {
  return {static_cast<int64_t>(op.getLength()), static_cast<int64_t>(op.getKeyLength()), static_cast<int64_t>(op.getMaxDistance()),
          op.getBidirectional()};
}
static Activation kindOf(nn::Activation kind) {
  return kind == nn::Activation::Relu ? Activation::Relu : kind == nn::Activation::Gelu ? Activation::Gelu : Activation::GeluTanh;
}
static bool isHalf(Type type) { return cast<RankedTensorType>(type).getElementType().isF16(); }
static double number(const APFloat &value) { return value.convertToDouble(); }

static LogicalResult missing(Operation *op, StringRef what, StringRef name) {
  return op->emitOpError() << what << " \"" << name << "\" is not there";
}

// Ops that touch what lives from step to step. True when it was one of them.
static bool runStateful(Operation *op, Frame &f, LogicalResult &result) {
  auto state = [&](StringRef name) -> Tensor * {
    auto it = f.state.states.find(name.str());
    if (it == f.state.states.end())
      result = missing(op, "nn.state", name);
    return it == f.state.states.end() ? nullptr : &it->second;
  };
  return TypeSwitch<Operation *, bool>(op)
      .Case([&](nn::InputOp o) {
        auto it = f.inputs.find(o.getName().str());
        if (it == f.inputs.end() || it->second.shape != shapeOf(o.getType()))
          result = missing(op, "an input of this shape named", o.getName());
        else
          f.out(o, it->second);
        return true;
      })
      .Case([&](nn::OutputOp o) { return f.outputs[o.getName().str()] = f.in(o.getValue()), true; })
      .Case([&](nn::ReadOp o) { return f.out(o, f.state.parameters.at(o.getParameter().str()).value), true; })
      .Case([&](nn::GradientOp o) { return f.out(o, f.state.parameters.at(o.getParameter().str()).gradient), true; })
      .Case([&](nn::AccumulateGradientOp o) {
        Tensor &gradient = f.state.parameters.at(o.getParameter().str()).gradient;
        gradient = add(gradient, f.in(o.getGradient()));
        return true;
      })
      .Case([&](nn::ClearGradientOp o) {
        Tensor &gradient = f.state.parameters.at(o.getParameter().str()).gradient;
        gradient = Tensor(gradient.shape);
        return true;
      })
      .Case([&](nn::AdamwOp o) {
        ParameterState &p = f.state.parameters.at(o.getParameter().str());
        StepScalars scalars = scalarsOf(f.in(o.getScalars()));
        AdamwSettings settings{number(o.getBeta1()), number(o.getBeta2()), number(o.getEpsilon()), number(o.getWeightDecay())};
        const Tensor &gradient = f.in(o.getGradient());
        double coefficient = f.in(o.getCoefficient())[0];
        for (int64_t i = 0; coefficient != 0 && i < gradient.size(); ++i)
          adamw(coefficient * gradient[i], scalars, settings, f.layout.parameters.at(o.getParameter().str()).decayed, p.value[i], p.moment1[i],
                p.moment2[i]);
        return true;
      })
      .Case([&](nn::LoadStateOp o) {
        if (Tensor *value = state(o.getState()))
          f.out(o, *value);
        return true;
      })
      .Case([&](nn::StoreStateOp o) {
        if (Tensor *value = state(o.getState()))
          *value = f.in(o.getValue());
        return f.storedStates.insert(o.getState().str()), true;
      })
      .Case([&](nn::AddStateOp o) {
        if (Tensor *value = state(o.getState()))
          *value = add(*value, f.in(o.getValue()));
        return f.addedStates.insert(o.getState().str()), true;
      })
      .Case([&](nn::AppendCacheOp o) {
        if (Tensor *cache = state(o.getState()))
          appendCache(f.in(o.getValue()), f.in(o.getPositions()), static_cast<int64_t>(o.getLength()), *cache);
        return true;
      })
      .Case([&](nn::ReorderCacheOp o) {
        if (Tensor *cache = state(o.getState()))
          reorderCache(f.in(o.getRows()), *cache);
        return true;
      })
      .Case([&](nn::ClearStateOp o) {
        if (Tensor *value = state(o.getState()))
          *value = Tensor(value->shape);
        return true;
      })
      .Default([](Operation *) { return false; });
}

/// As many of the sums as the result has elements, or those of each row.
static Tensor tensorOf(const LossSums &sums, Value result) {
  Tensor tensor({cast<RankedTensorType>(result.getType()).getDimSize(0)});
  for (int64_t row = 0; tensor.size() > 2 && row < tensor.size() / 2; ++row) {
    const auto &[loss, hits] = sums.rows[static_cast<size_t>(row)];
    tensor[2 * row] = loss, tensor[2 * row + 1] = static_cast<double>(hits);
  }
  if (tensor.size() > 2)
    return tensor;
  tensor[0] = sums.loss;
  if (tensor.size() > 1)
    tensor[1] = static_cast<double>(sums.hits);
  return tensor;
}

static bool runForward(Operation *op, Frame &f) {
  return TypeSwitch<Operation *, bool>(op)
      .Case([&](nn::AddOp o) { return f.out(o, add(f.in(o.getA()), f.in(o.getB()))), true; })
      .Case([&](nn::ScaleOp o) { return f.out(o, scale(f.in(o.getX()), number(o.getFactor()))), true; })
      .Case([&](nn::CastOp o) { return f.out(o, Tensor(f.in(o.getX()))), true; })
      .Case([&](nn::ReshapeOp o) { return f.out(o, reshape(f.in(o.getX()), shapeOf(o.getType()))), true; })
      .Case([&](nn::DropoutOp o) {
        f.out(o, dropout(f.in(o.getX()), scalarsOf(f.in(o.getScalars())), number(o.getProbability()), static_cast<int64_t>(o.getSite()),
                         static_cast<int64_t>(o.getLength())));
        return true;
      })
      .Case([&](nn::SiluMulOp o) { return f.out(o, siluMul(f.in(o.getGate()), f.in(o.getUp()))), true; })
      .Case([&](nn::ActivationOp o) { return f.out(o, activation(f.in(o.getX()), kindOf(o.getKind()))), true; })
      .Case([&](nn::ClampHalfOp o) { return f.out(o, isHalf(o.getType()) ? clampHalf(f.in(o.getX())) : Tensor(f.in(o.getX()))), true; })
      .Case([&](nn::GatedActivationOp o) { return f.out(o, product(activation(f.in(o.getGate()), kindOf(o.getKind())), f.in(o.getUp()))), true; })
      .Case([&](nn::SplitQkvOp o) {
        Tensor query, key, value;
        splitQkv(f.in(o.getX()), static_cast<int64_t>(o.getHeads()), static_cast<int64_t>(o.getKvHeads()), query, key, value);
        return f.out(o.getQuery(), query), f.out(o.getKey(), key), f.out(o.getValue(), value), true;
      })
      .Case([&](nn::RowsOp o) {
        f.out(o, rowsFrom(f.in(o.getX()), scalarsOf(f.in(o.getScalars())).firstToken, shapeOf(o.getType())[0]));
        return true;
      })
      .Case([&](nn::LinearOp o) {
        Tensor result = linear(f.in(o.getX()), f.in(o.getWeight()), f.maybe(o.getBias()), f.maybe(o.getAddend()), number(o.getAlpha()));
        if (o.getBranchX())
          addLinear(f.in(o.getBranchX()), f.in(o.getBranchWeight()), number(o.getBranchAlpha()), result);
        return f.out(o, result), true;
      })
      .Case([&](nn::EmbeddingOp o) { return f.out(o, embedding(f.in(o.getIds()), f.in(o.getTable()), static_cast<int64_t>(o.getOffset()))), true; })
      .Case([&](nn::RmsNormOp o) {
        Tensor result, rstd;
        rmsNorm(f.in(o.getX()), f.in(o.getWeight()), number(o.getEpsilon()), result, rstd);
        return f.out(o.getResult(), result), f.out(o.getRstd(), rstd), true;
      })
      .Case([&](nn::LayerNormOp o) {
        Tensor result, mean, rstd;
        layerNorm(f.in(o.getX()), f.in(o.getWeight()), f.in(o.getBias()), number(o.getEpsilon()), result, mean, rstd);
        return f.out(o.getResult(), result), f.out(o.getMean(), mean), f.out(o.getRstd(), rstd), true;
      })
      .Case([&](nn::RopeTableOp o) {
        Tensor cosine, sine;
        std::vector<double> frequencies(o.getInverseFrequencies().begin(), o.getInverseFrequencies().end());
        ropeTable(f.in(o.getPositions()), frequencies, number(o.getScaling()), cosine, sine);
        return f.out(o.getCosine(), cosine), f.out(o.getSine(), sine), true;
      })
      .Case([&](nn::RopeOp o) {
        return f.out(o, rope(f.in(o.getX()), f.in(o.getCosine()), f.in(o.getSine()), static_cast<int64_t>(o.getHeadDim()), o.getInverse())), true;
      })
      .Case([&](nn::AttentionOp o) {
        Tensor result, logSumExp;
        attention(f.in(o.getQuery()), f.in(o.getKey()), f.in(o.getValue()), f.in(o.getSegments()), f.in(o.getKeySegments()), attentionShape(o, f),
                  result, logSumExp);
        return f.out(o.getResult(), result), f.out(o.getLogSumExp(), logSumExp), true;
      })
      .Case([&](nn::CachedAttentionOp o) {
        AttentionShape shape = attentionShape(o, f, /*keyLength=*/0, /*causal=*/true); // the places of the cache
        return f.out(o, cachedAttention(f.in(o.getQuery()), f.in(o.getKey()), f.in(o.getValue()), f.in(o.getPositions()), shape)), true;
      })
      .Case([&](nn::RelativeBiasOp o) { return f.out(o, relativeBias(f.in(o.getTable()), relativeBiasShape(o))), true; })
      .Case([&](nn::AlibiTableOp o) {
        std::vector<double> slopes(o.getSlopes().begin(), o.getSlopes().end());
        return f.out(o, alibiTable(f.maybe(o.getPositions()), shapeOf(o.getType())[1], slopes, number(o.getScale()), o.getRoundBf16())), true;
      })
      .Case([&](nn::LinearCrossEntropyOp o) {
        LossSums sums =
            linearCrossEntropy(f.in(o.getHidden()), f.in(o.getWeight()), f.in(o.getLabels()), static_cast<int64_t>(o.getLength()), nullptr, nullptr);
        return f.out(o, tensorOf(sums, o.getLoss())), true;
      })
      .Default([](Operation *) { return false; });
}

static bool runGradient(Operation *op, Frame &f) {
  return TypeSwitch<Operation *, bool>(op)
      .Case([&](nn::SiluMulGradientOp o) {
        Tensor gate, up;
        siluMulGradient(f.in(o.getGradient()), f.in(o.getGate()), f.in(o.getUp()), gate, up);
        return f.out(o.getGateGradient(), gate), f.out(o.getUpGradient(), up), true;
      })
      .Case(
          [&](nn::ActivationGradientOp o) { return f.out(o, activationGradient(f.in(o.getGradient()), f.in(o.getX()), kindOf(o.getKind()))), true; })
      .Case([&](nn::ClampHalfGradientOp o) {
        const Tensor &gradient = f.in(o.getGradient());
        return f.out(o, isHalf(o.getType()) ? clampHalfGradient(gradient, f.in(o.getClamped())) : Tensor(gradient)), true;
      })
      .Case([&](nn::GatedActivationGradientOp o) {
        const Tensor &gradient = f.in(o.getGradient()), &gate = f.in(o.getGate());
        f.out(o.getGateGradient(), activationGradient(product(gradient, f.in(o.getUp())), gate, kindOf(o.getKind())));
        return f.out(o.getUpGradient(), product(gradient, activation(gate, kindOf(o.getKind())))), true;
      })
      .Case([&](nn::JoinQkvOp o) {
        return f.out(o, joinQkv(f.maybe(o.getQuery()), f.maybe(o.getKey()), f.maybe(o.getValue()), static_cast<int64_t>(o.getHeads()),
                                static_cast<int64_t>(o.getKvHeads()), shapeOf(o.getType()))),
               true;
      })
      .Case([&](nn::LinearInputGradientOp o) {
        Tensor result = linearInputGradient(f.in(o.getGradient()), f.in(o.getWeight()), f.maybe(o.getAddend()), number(o.getAlpha()));
        if (o.getBranchGradient())
          addLinearInputGradient(f.in(o.getBranchGradient()), f.in(o.getBranchWeight()), number(o.getBranchAlpha()), result);
        return f.out(o, result), true;
      })
      .Case([&](nn::LinearWeightGradientOp o) {
        return f.out(o, linearWeightGradient(f.in(o.getGradient()), f.in(o.getX()), number(o.getAlpha()))), true;
      })
      .Case([&](nn::ColumnSumOp o) { return f.out(o, columnSum(f.in(o.getSource()))), true; })
      .Case([&](nn::EmbeddingGradientOp o) {
        return f.out(o, embeddingGradient(f.in(o.getIds()), f.in(o.getGradient()), static_cast<int64_t>(o.getOffset()),
                                          static_cast<int64_t>(o.getPadding()), shapeOf(o.getType())[0])),
               true;
      })
      .Case([&](nn::RmsNormGradientOp o) {
        Tensor weight;
        f.out(o.getResult(), rmsNormGradient(f.in(o.getGradient()), f.in(o.getX()), f.in(o.getWeight()), f.in(o.getRstd()), f.maybe(o.getResidual()),
                                             o.getWeightGradient() ? &weight : nullptr));
        if (o.getWeightGradient())
          f.out(o.getWeightGradient(), weight);
        return true;
      })
      .Case([&](nn::LayerNormGradientOp o) {
        Tensor weight, bias;
        f.out(o.getResult(),
              layerNormGradient(f.in(o.getGradient()), f.in(o.getX()), f.in(o.getWeight()), f.in(o.getMean()), f.in(o.getRstd()),
                                f.maybe(o.getResidual()), o.getWeightGradient() ? &weight : nullptr, o.getBiasGradient() ? &bias : nullptr));
        if (o.getWeightGradient())
          f.out(o.getWeightGradient(), weight);
        if (o.getBiasGradient())
          f.out(o.getBiasGradient(), bias);
        return true;
      })
      .Case([&](nn::AttentionGradientOp o) {
        Tensor query, key, value, bias;
        attentionGradient(f.in(o.getGradient()), f.in(o.getQuery()), f.in(o.getKey()), f.in(o.getValue()), f.in(o.getOut()), f.in(o.getLogSumExp()),
                          f.in(o.getSegments()), f.in(o.getKeySegments()), attentionShape(o, f), query, key, value,
                          o.getBiasGradient() ? &bias : nullptr);
        if (o.getBiasGradient())
          f.out(o.getBiasGradient(), bias);
        f.out(o.getQueryGradient(), query);
        f.out(o.getKeyGradient(), key);
        return f.out(o.getValueGradient(), value), true;
      })
      .Case([&](nn::RelativeBiasGradientOp o) {
        return f.out(o, relativeBiasGradient(f.in(o.getGradient()), shapeOf(o.getType())[0], relativeBiasShape(o))), true;
      })
      .Case([&](nn::LinearCrossEntropyGradientOp o) {
        Tensor hidden, weight;
        LossSums sums = linearCrossEntropy(f.in(o.getHidden()), f.in(o.getWeight()), f.in(o.getLabels()), static_cast<int64_t>(o.getLength()),
                                           &hidden, o.getWeightGradient() ? &weight : nullptr,
                                           o.getScalars() ? static_cast<double>(scalarsOf(f.in(o.getScalars())).lossScale) : 1);
        f.out(o.getLoss(), tensorOf(sums, o.getLoss()));
        f.out(o.getHiddenGradient(), hidden);
        if (o.getWeightGradient())
          f.out(o.getWeightGradient(), weight);
        return true;
      })
      .Case([&](nn::SumSquaresOp o) {
        Tensor sum({1});
        for (Value tensor : o.getTensors())
          sum[0] += sumSquares(f.in(tensor));
        return f.out(o, sum), true;
      })
      .Case([&](nn::FinishStepOp o) {
        Tensor coefficient, metrics;
        finishStep(f.in(o.getSquareSum())[0], f.in(o.getLossSum()), scalarsOf(f.in(o.getScalars())), number(o.getMaxNorm()), coefficient, metrics);
        return f.out(o.getCoefficient(), coefficient), f.out(o.getMetrics(), metrics), true;
      })
      .Default([](Operation *) { return false; });
}

LogicalResult runNNOp(Operation *op, Frame &frame, bool &handled) {
  LogicalResult result = success();
  handled = runStateful(op, frame, result) || runForward(op, frame) || runGradient(op, frame);
  return result;
}

} // namespace zp::interpreter
