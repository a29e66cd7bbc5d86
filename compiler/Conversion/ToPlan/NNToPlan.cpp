// Patterns of the nn dialect: one case an op.
#include "compiler/Conversion/ToPlan/ToPlan.h"

#include "runtime/schema/activations.h"
#include "runtime/schema/workspaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace zp::nn;

namespace zp {

static DType dtypeOf(Value value) {
  Type type = cast<RankedTensorType>(value.getType()).getElementType();
  return type.isBF16() ? DType::BF16 : type.isF16() ? DType::F16 : DType::F32;
}
static int64_t rows(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(0); }
static int64_t columns(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

/// A state is working memory, unless something is appended to it.
static Place stateOf(Lowering &l, StringRef name, RankedTensorType type, plan::BufferKind kind = plan::BufferKind::Working) {
  return l.state.persistent(("state." + name).str(), type, kind);
}
static Place stateOf(Lowering &l, StringRef name, Value value) { return stateOf(l, name, cast<RankedTensorType>(value.getType())); }
static RankedTensorType declaredType(Lowering &l, FlatSymbolRefAttr state) {
  return cast<RankedTensorType>(SymbolTable::lookupNearestSymbolFrom<StateOp>(l.module, state).getType());
}

namespace {

struct Product {
  Value a, b;
  bool transposeA, transposeB;
  APFloat alpha;
  Value bias = {}, addend = {};
  Value branchA = {}, branchB = {};
  APFloat branchAlpha = APFloat(1.0);
};

/// target = alpha·op(a)·op(b) (+ branch) (+ bias) (+ addend).
void matmul(Operation *op, const Product &p, Lowering &l) {
  Place target = l.defineSum(op, p.addend, op->getResult(0));
  l.emit<plan::MatmulOp>(op, l.memory.view(p.a), l.memory.view(p.b), l.viewIf(p.bias), l.viewIf(p.branchA), l.viewIf(p.branchB), l.productWorkspace(),
                         l.memory.view(target), p.transposeA, p.transposeB, p.alpha, static_cast<bool>(p.addend), p.branchAlpha);
}

/// Tokens whose logits are formed at a time: as the module says, or as many more as the target has room for.
template <typename OpT> int64_t chunkOf(OpT op, Lowering &l) {
  constexpr int64_t kMost = 1024, kStep = 128; // more gains nothing; rows of a GPU's tile
  const int64_t row = rows(op.getWeight()) * cast<RankedTensorType>(op.getHidden().getType()).getElementTypeBitWidth() / 8;
  const int64_t fitting = std::min(static_cast<int64_t>(l.target.logitBytes) / row / kStep * kStep, kMost);
  return std::max(static_cast<int64_t>(op.getChunk()), std::min(fitting, rows(op.getHidden())));
}

template <typename OpT> void crossEntropy(OpT op, Value hiddenGradient, Value weightGradient, Value scalars, Lowering &l) {
  // The loss is added to the state itself when that is all that happens to it.
  Place loss;
  auto user = op.getLoss().hasOneUse() ? dyn_cast<AddStateOp>(*op.getLoss().getUsers().begin()) : AddStateOp();
  if (user) {
    loss = stateOf(l, user.getState(), op.getLoss());
    l.memory.bind(op.getLoss(), loss);
  } else {
    loss = l.defineZeroed(op, op.getLoss());
  }
  Value hidden = op.getHidden(), weight = op.getWeight();
  const int64_t chunk = chunkOf(op, l);
  Value workspace = l.workspace(linearCrossEntropyWorkspaceBytes(chunk, rows(hidden), rows(weight), columns(hidden), dtypeOf(hidden)));
  Value gradHidden = hiddenGradient ? l.memory.view(l.memory.define(hiddenGradient)) : Value();
  Value gradWeight = weightGradient ? l.memory.view(l.defineZeroed(op, weightGradient)) : Value();
  l.emit<plan::LinearCrossEntropyOp>(op, l.memory.view(hidden), l.memory.view(weight), l.memory.view(op.getLabels()), workspace, l.memory.view(loss),
                                     gradHidden, gradWeight, l.viewIf(scalars), chunk, static_cast<int64_t>(op.getLength()));
}

static_assert(static_cast<int64_t>(nn::Activation::Relu) == static_cast<int64_t>(zp::Activation::Relu) &&
              static_cast<int64_t>(nn::Activation::Gelu) == static_cast<int64_t>(zp::Activation::Gelu) &&
              static_cast<int64_t>(nn::Activation::GeluTanh) == static_cast<int64_t>(zp::Activation::GeluTanh));
template <typename OpT> int64_t kindOf(OpT op) { return static_cast<int64_t>(op.getKind()); }

void lowerNorms(LayerNormGradientOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), {op.getResidual(), op.getGradient()}, op);
  auto zeroed = [&](Value gradient) { return gradient ? l.memory.view(l.defineZeroed(op, gradient)) : Value(); };
  Value weight = zeroed(op.getWeightGradient()), bias = zeroed(op.getBiasGradient());
  l.emit<plan::LayerNormGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getX()), l.memory.view(op.getWeight()),
                                    l.memory.view(op.getMean()), l.memory.view(op.getRstd()), l.viewIf(op.getResidual()), l.memory.view(target),
                                    weight, bias);
}

void lowerNorms(RmsNormGradientOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), {op.getResidual(), op.getGradient()}, op);
  Value weight = op.getWeightGradient() ? l.memory.view(l.defineZeroed(op, op.getWeightGradient())) : Value();
  l.emit<plan::RmsNormGradientOp>(op, l.memory.view(op.getGradient()), l.memory.view(op.getX()), l.memory.view(op.getWeight()),
                                  l.memory.view(op.getRstd()), op.getResidual() ? l.memory.view(op.getResidual()) : Value(), l.memory.view(target),
                                  weight);
}

void lowerAttentionGradient(AttentionGradientOp op, Lowering &l) {
  int64_t heads = op.getHeads(), tokens = rows(op.getQuery());
  // What fused kernels are never asked for (runtime/kernels/cuda/fused_attention.cpp) needs no room for them.
  const bool fusable = !op.getScalars() && op.getKeySegments() == op.getSegments() && op.getBiasKind() != BiasKind::ByDistance;
  Value workspace = l.workspace(attentionGradientPlacedBytes(heads, op.getKvHeads(), tokens, op.getLength(), columns(op.getQuery()) / heads,
                                                             dtypeOf(op.getQuery()), fusable ? l.target.attentionBytes : 0));
  Value dq = l.memory.view(l.memory.define(op.getQueryGradient())), dk = l.memory.view(l.memory.define(op.getKeyGradient())),
        dv = l.memory.view(l.memory.define(op.getValueGradient()));
  Value dbias = op.getBiasGradient() ? l.memory.view(l.memory.define(op.getBiasGradient())) : Value();
  l.emit<plan::AttentionGradientOp>(
      op, l.memory.view(op.getGradient()), l.memory.view(op.getQuery()), l.memory.view(op.getKey()), l.memory.view(op.getValue()),
      l.memory.view(op.getOut()), l.memory.view(op.getLogSumExp()), l.memory.view(op.getSegments()), l.memory.view(op.getKeySegments()),
      l.viewIf(op.getBias()), l.viewIf(op.getScalars()), workspace, dq, dk, dv, dbias, heads, static_cast<int64_t>(op.getKvHeads()),
      static_cast<int64_t>(op.getLength()), static_cast<int64_t>(op.getWindow()), op.getScale(), static_cast<int64_t>(op.getKeyLength()),
      op.getCausal(), op.getBiasKind() == BiasKind::ByDistance, op.getDropout(), static_cast<int64_t>(op.getSite()));
}

} // namespace

bool lowerNN(Operation *operation, Lowering &l) {
  ProgramMemory &m = l.memory;
  return llvm::TypeSwitch<Operation *, bool>(operation)
      //===--- programs and state
      .Case([&](InputOp op) {
        Place place = l.state.persistent(("input." + op.getName()).str(), cast<RankedTensorType>(op.getType()), plan::BufferKind::Working);
        m.bind(op.getValue(), place);
        plan::InputOp::create(l.builder, op.getLoc(), op.getNameAttr(), m.view(place));
        return true;
      })
      .Case([&](OutputOp op) {
        Place place =
            l.state.persistent((l.program + "." + op.getName()).str(), cast<RankedTensorType>(op.getValue().getType()), plan::BufferKind::Working);
        if (!(m.placeOf(op.getValue()) == place))
          l.copy(op, m.placeOf(op.getValue()), place);
        plan::OutputOp::create(l.builder, op.getLoc(), op.getNameAttr(), m.view(place));
        return true;
      })
      .Case([&](LoadStateOp op) { return m.bind(op.getValue(), l.stateOf(op.getStateAttr(), op.getValue())), true; })
      .Case([&](StoreStateOp op) {
        Place place = l.stateOf(op.getStateAttr(), op.getValue());
        if (!(m.placeOf(op.getValue()) == place))
          l.copy(op, m.placeOf(op.getValue()), place);
        return true;
      })
      .Case([&](AddStateOp op) {
        Place place = stateOf(l, op.getState(), op.getValue());
        if (!(m.placeOf(op.getValue()) == place))
          l.emit<plan::AccumulateOp>(op, m.view(op.getValue()), m.view(place), APFloat(1.0));
        return true;
      })
      .Case([&](ClearStateOp op) {
        l.fill(op, stateOf(l, op.getState(), declaredType(l, op.getStateAttr())), 0);
        return true;
      })
      .Case([&](AppendCacheOp op) {
        Place cache = stateOf(l, op.getState(), declaredType(l, op.getStateAttr()), plan::BufferKind::Cache);
        return l.emit<plan::AppendCacheOp>(op, m.view(op.getValue()), m.view(op.getPositions()), m.view(cache), static_cast<int64_t>(op.getLength())),
               true;
      })
      .Case([&](ReorderCacheOp op) {
        Place cache = stateOf(l, op.getState(), declaredType(l, op.getStateAttr()), plan::BufferKind::Cache);
        return l.emit<plan::ReorderCacheOp>(op, m.view(op.getRows()), m.view(cache)), true;
      })
      //===--- linear maps and embeddings
      .Case([&](LinearOp op) {
        matmul(op,
               {op.getX(), op.getWeight(), false, true, op.getAlpha(), op.getBias(), op.getAddend(), op.getBranchX(), op.getBranchWeight(),
                op.getBranchAlpha()},
               l);
        return true;
      })
      .Case([&](LinearInputGradientOp op) {
        matmul(op,
               {op.getGradient(), op.getWeight(), false, false, op.getAlpha(), Value(), op.getAddend(), op.getBranchGradient(), op.getBranchWeight(),
                op.getBranchAlpha()},
               l);
        return true;
      })
      .Case([&](LinearWeightGradientOp op) {
        return matmul(op, {op.getGradient(), op.getX(), true, false, op.getAlpha()}, l), true;
      })
      .Case([&](ColumnSumOp op) {
        Place target = l.defineZeroed(op, op.getResult());
        return l.emit<plan::ColumnSumOp>(op, m.view(op.getSource()), m.view(target)), true;
      })
      .Case([&](EmbeddingOp op) {
        return l.emit<plan::EmbeddingOp>(op, m.view(op.getTable()), m.view(op.getIds()), m.view(m.define(op.getResult())),
                                         static_cast<int64_t>(op.getOffset())),
               true;
      })
      .Case([&](EmbeddingGradientOp op) {
        Place target = l.defineZeroed(op, op.getResult());
        return l.emit<plan::EmbeddingGradientOp>(op, m.view(op.getIds()), m.view(op.getGradient()), m.view(target),
                                                 static_cast<int64_t>(op.getOffset())),
               true;
      })
      //===--- elementwise
      .Case([&](AddOp op) {
        Place target = m.defineInPlaceOf(op.getResult(), {op.getA(), op.getB()}, op);
        return l.emit<plan::AddOp>(op, m.view(op.getA()), m.view(op.getB()), m.view(target)), true;
      })
      .Case([&](ScaleOp op) {
        Place target = m.defineInPlaceOf(op.getResult(), op.getX(), op);
        return l.emit<plan::ScaleOp>(op, m.view(op.getX()), m.view(target), op.getFactor()), true;
      })
      .Case([&](CastOp op) { return l.emit<plan::CastOp>(op, m.view(op.getX()), m.view(m.define(op.getResult()))), true; })
      .Case([&](ReshapeOp op) {
        Place place = m.placeOf(op.getX());
        place.type = cast<RankedTensorType>(op.getType());
        return m.bind(op.getResult(), place), true;
      })
      .Case([&](DropoutOp op) {
        Place target = m.defineInPlaceOf(op.getResult(), op.getX(), op);
        l.emit<plan::DropoutOp>(op, m.view(op.getX()), m.view(op.getScalars()), m.view(target), op.getProbability(),
                                static_cast<int64_t>(op.getSite()), static_cast<int64_t>(op.getLength()));
        return true;
      })
      .Case(
          [&](SiluMulOp op) { return l.emit<plan::SiluMulOp>(op, m.view(op.getGate()), m.view(op.getUp()), m.view(m.define(op.getResult()))), true; })
      .Case([&](SiluMulGradientOp op) {
        Place gate = m.defineInPlaceOf(op.getGateGradient(), op.getGate(), op), up = m.defineInPlaceOf(op.getUpGradient(), op.getUp(), op);
        return l.emit<plan::SiluMulGradientOp>(op, m.view(op.getGradient()), m.view(op.getGate()), m.view(op.getUp()), m.view(gate), m.view(up)),
               true;
      })
      .Case([&](ActivationOp op) {
        Place target = m.defineInPlaceOf(op.getResult(), op.getX(), op);
        return l.emit<plan::ActivationOp>(op, m.view(op.getX()), m.view(target), kindOf(op)), true;
      })
      .Case([&](ActivationGradientOp op) {
        Place target = m.defineInPlaceOf(op.getResult(), {op.getGradient(), op.getX()}, op);
        return l.emit<plan::ActivationGradientOp>(op, m.view(op.getGradient()), m.view(op.getX()), m.view(target), kindOf(op)), true;
      })
      .Case([&](ClampHalfOp op) {
        if (dtypeOf(op.getX()) != DType::F16) // x itself
          return m.bind(op.getResult(), m.placeOf(op.getX())), true;
        Place target = m.defineInPlaceOf(op.getResult(), op.getX(), op);
        return l.emit<plan::ClampHalfOp>(op, m.view(op.getX()), m.view(target)), true;
      })
      .Case([&](ClampHalfGradientOp op) {
        if (dtypeOf(op.getGradient()) != DType::F16)
          return m.bind(op.getResult(), m.placeOf(op.getGradient())), true;
        Place target = m.defineInPlaceOf(op.getResult(), op.getGradient(), op);
        return l.emit<plan::ClampHalfGradientOp>(op, m.view(op.getGradient()), m.view(op.getClamped()), m.view(target)), true;
      })
      .Case([&](GatedActivationOp op) {
        return l.emit<plan::GatedActivationOp>(op, m.view(op.getGate()), m.view(op.getUp()), m.view(m.define(op.getResult())), kindOf(op)), true;
      })
      .Case([&](GatedActivationGradientOp op) {
        Place gate = m.defineInPlaceOf(op.getGateGradient(), op.getGate(), op), up = m.defineInPlaceOf(op.getUpGradient(), op.getUp(), op);
        return l.emit<plan::GatedActivationGradientOp>(op, m.view(op.getGradient()), m.view(op.getGate()), m.view(op.getUp()), m.view(gate),
                                                       m.view(up), kindOf(op)),
               true;
      })
      .Case([&](SplitQkvOp op) {
        Value query = m.view(m.define(op.getQuery())), key = m.view(m.define(op.getKey())), value = m.view(m.define(op.getValue()));
        return l.emit<plan::SplitQkvOp>(op, m.view(op.getX()), query, key, value, static_cast<int64_t>(op.getHeads()),
                                        static_cast<int64_t>(op.getKvHeads())),
               true;
      })
      .Case([&](JoinQkvOp op) {
        l.emit<plan::JoinQkvOp>(op, l.viewIf(op.getQuery()), l.viewIf(op.getKey()), l.viewIf(op.getValue()), m.view(m.define(op.getResult())),
                                static_cast<int64_t>(op.getHeads()), static_cast<int64_t>(op.getKvHeads()));
        return true;
      })
      .Case(
          [&](RowsOp op) { return l.emit<plan::CopyRowsOp>(op, m.view(op.getX()), m.view(op.getScalars()), m.view(m.define(op.getResult()))), true; })
      //===--- norms, attention
      .Case([&](RmsNormOp op) {
        Value target = m.view(m.define(op.getResult())), rstd = m.view(m.define(op.getRstd()));
        return l.emit<plan::RmsNormOp>(op, m.view(op.getX()), m.view(op.getWeight()), target, rstd, op.getEpsilon()), true;
      })
      .Case([&](RmsNormGradientOp op) { return lowerNorms(op, l), true; })
      .Case([&](LayerNormOp op) {
        Value target = m.view(m.define(op.getResult())), mean = m.view(m.define(op.getMean())), rstd = m.view(m.define(op.getRstd()));
        return l.emit<plan::LayerNormOp>(op, m.view(op.getX()), m.view(op.getWeight()), m.view(op.getBias()), target, mean, rstd, op.getEpsilon()),
               true;
      })
      .Case([&](LayerNormGradientOp op) { return lowerNorms(op, l), true; })
      .Case([&](RopeTableOp op) {
        Value cosine = m.view(m.define(op.getCosine())), sine = m.view(m.define(op.getSine()));
        return l.emit<plan::RopeTableOp>(op, m.view(op.getPositions()), cosine, sine, op.getInverseFrequencies(), op.getScaling()), true;
      })
      .Case([&](RopeOp op) {
        Place target = m.defineInPlaceOf(op.getResult(), op.getX(), op);
        l.emit<plan::RopeOp>(op, m.view(op.getX()), m.view(op.getCosine()), m.view(op.getSine()), m.view(target),
                             static_cast<int64_t>(op.getHeadDim()), op.getInverse());
        return true;
      })
      .Case([&](AttentionOp op) {
        Value target = m.view(m.define(op.getResult())), lse = m.view(m.define(op.getLogSumExp()));
        l.emit<plan::AttentionOp>(op, m.view(op.getQuery()), m.view(op.getKey()), m.view(op.getValue()), m.view(op.getSegments()),
                                  m.view(op.getKeySegments()), l.viewIf(op.getBias()), l.viewIf(op.getScalars()), Value(), target, lse,
                                  static_cast<int64_t>(op.getHeads()), static_cast<int64_t>(op.getKvHeads()), static_cast<int64_t>(op.getLength()),
                                  static_cast<int64_t>(op.getWindow()), op.getScale(), static_cast<int64_t>(op.getKeyLength()), op.getCausal(),
                                  op.getBiasKind() == BiasKind::ByDistance, op.getDropout(), static_cast<int64_t>(op.getSite()));
        return true;
      })
      .Case([&](AttentionGradientOp op) { return lowerAttentionGradient(op, l), true; })
      .Case([&](CachedAttentionOp op) {
        Value target = m.view(m.define(op.getResult()));
        l.emit<plan::CachedAttentionOp>(op, m.view(op.getQuery()), m.view(op.getKey()), m.view(op.getValue()), m.view(op.getPositions()),
                                        l.viewIf(op.getBias()), target, static_cast<int64_t>(op.getHeads()), static_cast<int64_t>(op.getKvHeads()),
                                        static_cast<int64_t>(op.getLength()), static_cast<int64_t>(op.getWindow()), op.getScale(),
                                        op.getBiasKind() == BiasKind::ByDistance);
        return true;
      })
      .Case([&](RelativeBiasOp op) {
        Value target = m.view(m.define(op.getResult()));
        return l.emit<plan::RelativeBiasOp>(op, m.view(op.getTable()), target, static_cast<int64_t>(op.getLength()),
                                            static_cast<int64_t>(op.getKeyLength()), static_cast<int64_t>(op.getMaxDistance()),
                                            op.getBidirectional()),
               true;
      })
      .Case([&](RelativeBiasGradientOp op) {
        Value target = m.view(m.define(op.getResult()));
        return l.emit<plan::RelativeBiasGradientOp>(op, m.view(op.getGradient()), target, static_cast<int64_t>(op.getLength()),
                                                    static_cast<int64_t>(op.getKeyLength()), static_cast<int64_t>(op.getMaxDistance()),
                                                    op.getBidirectional()),
               true;
      })
      .Case([&](AlibiTableOp op) {
        Value target = m.view(m.define(op.getResult()));
        return l.emit<plan::AlibiTableOp>(op, l.viewIf(op.getPositions()), target, op.getSlopes(), op.getScale(), op.getRoundBf16()), true;
      })
      //===--- loss and optimizer
      .Case([&](LinearCrossEntropyOp op) { return crossEntropy(op, Value(), Value(), Value(), l), true; })
      .Case(
          [&](LinearCrossEntropyGradientOp op) { return crossEntropy(op, op.getHiddenGradient(), op.getWeightGradient(), op.getScalars(), l), true; })
      .Case([&](SumSquaresOp op) {
        Place target = l.defineZeroed(op, op.getResult());
        for (Value tensor : op.getTensors())
          l.emit<plan::SumSquaresOp>(op, m.view(tensor), m.view(target));
        return true;
      })
      .Case([&](FinishStepOp op) {
        Value coefficient = m.view(m.define(op.getCoefficient())), metrics = m.view(m.define(op.getMetrics()));
        l.emit<plan::FinishStepOp>(op, m.view(op.getSquareSum()), m.view(op.getLossSum()), m.view(op.getScalars()), coefficient, metrics,
                                   op.getMaxNorm());
        return true;
      })
      .Default([](Operation *) { return false; });
}

} // namespace zp
