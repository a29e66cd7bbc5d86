// Every gradient against finite differences of its forward op. The oracles take f64 operands (the checks do not), so both
// sides are computed without rounding and agree to about 1e-8.
#include "runtime/schema/activations.h"
#include "runtime/schema/workspaces.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

constexpr DType kWide = DType::F64;

/// d/dx of Σ weights·out, `forward` filling `out` from `input`, by central differences, into `numeric`.
template <typename Forward>
void differentiate(const TensorView &input, const TensorView &out, const TensorView &weights, const TensorView &numeric, Forward forward) {
  auto objective = [&] {
    forward();
    double sum = 0;
    for (int64_t i = 0; i < out.elements(); ++i)
      sum += loadElement(out, i) * loadElement(weights, i);
    return sum;
  };
  constexpr double kStep = 1e-5;
  for (int64_t i = 0; i < input.elements(); ++i) {
    double value = loadElement(input, i);
    storeElement(input, i, value + kStep);
    double above = objective();
    storeElement(input, i, value - kStep);
    double below = objective();
    storeElement(input, i, value);
    storeElement(numeric, i, (above - below) / (2 * kStep));
  }
  forward();
}

void zero(const TensorView &tensor) { std::memset(tensor.data, 0, tensor.bytes()); }

void expectGradient(const TensorView &numeric, const TensorView &analytic, const char *what) {
  EXPECT_LE(relativeError(numeric, analytic), 1e-7) << what;
}

TEST(Gradient, RmsNorm) {
  Maker maker;
  RmsNormArgs forward;
  forward.source = maker.normal(kWide, {4, 9});
  forward.weight = maker.positive(kWide, {9});
  forward.target = maker.empty(kWide, {4, 9});
  forward.rstd = maker.empty(kWide, {4});
  forward.epsilon = 0.01;
  TensorView weights = maker.normal(kWide, {4, 9}), bySource = maker.empty(kWide, {4, 9}), byWeight = maker.empty(kWide, {9});
  auto run = [&] { reference::run(KernelContext{}, forward); };
  differentiate(forward.source, forward.target, weights, bySource, run);
  differentiate(forward.weight, forward.target, weights, byWeight, run);
  RmsNormGradientArgs args;
  args.gradOut = weights;
  args.source = forward.source;
  args.weight = forward.weight;
  args.rstd = forward.rstd;
  args.gradSource = maker.empty(kWide, {4, 9});
  args.gradWeight = maker.empty(kWide, {9});
  zero(args.gradWeight);
  reference::run(KernelContext{}, args);
  expectGradient(bySource, args.gradSource, "source");
  expectGradient(byWeight, args.gradWeight, "weight");
}

TEST(Gradient, LayerNorm) {
  Maker maker;
  LayerNormArgs forward;
  forward.source = maker.normal(kWide, {4, 9});
  forward.weight = maker.positive(kWide, {9});
  forward.bias = maker.normal(kWide, {9});
  forward.target = maker.empty(kWide, {4, 9});
  forward.mean = maker.empty(kWide, {4});
  forward.rstd = maker.empty(kWide, {4});
  forward.epsilon = 0.01;
  TensorView weights = maker.normal(kWide, {4, 9}), bySource = maker.empty(kWide, {4, 9});
  TensorView byWeight = maker.empty(kWide, {9}), byBias = maker.empty(kWide, {9});
  auto run = [&] { reference::run(KernelContext{}, forward); };
  differentiate(forward.source, forward.target, weights, bySource, run);
  differentiate(forward.weight, forward.target, weights, byWeight, run);
  differentiate(forward.bias, forward.target, weights, byBias, run);
  LayerNormGradientArgs args;
  args.gradOut = weights;
  args.source = forward.source;
  args.weight = forward.weight;
  args.mean = forward.mean;
  args.rstd = forward.rstd;
  args.gradSource = maker.empty(kWide, {4, 9});
  args.gradWeight = maker.empty(kWide, {9});
  args.gradBias = maker.empty(kWide, {9});
  zero(args.gradWeight);
  zero(args.gradBias);
  reference::run(KernelContext{}, args);
  expectGradient(bySource, args.gradSource, "source");
  expectGradient(byWeight, args.gradWeight, "weight");
  expectGradient(byBias, args.gradBias, "bias");
}

TEST(Gradient, Activations) {
  for (int64_t kind = 0; kind < kActivations; ++kind) {
    Maker maker;
    ActivationArgs forward;
    forward.source = maker.normal(kWide, {40}, 2);
    forward.target = maker.empty(kWide, {40});
    forward.kind = kind;
    TensorView weights = maker.normal(kWide, {40}), numeric = maker.empty(kWide, {40});
    differentiate(forward.source, forward.target, weights, numeric, [&] { reference::run(KernelContext{}, forward); });
    ActivationGradientArgs args;
    args.gradOut = weights;
    args.source = forward.source;
    args.gradSource = maker.empty(kWide, {40});
    args.kind = kind;
    reference::run(KernelContext{}, args);
    expectGradient(numeric, args.gradSource, "source");
  }
}

TEST(Gradient, GatedActivation) {
  for (int64_t kind = 0; kind < kActivations; ++kind) {
    Maker maker;
    GatedActivationArgs forward;
    forward.gate = maker.normal(kWide, {20}, 2);
    forward.up = maker.normal(kWide, {20});
    forward.target = maker.empty(kWide, {20});
    forward.kind = kind;
    TensorView weights = maker.normal(kWide, {20}), byGate = maker.empty(kWide, {20}), byUp = maker.empty(kWide, {20});
    auto run = [&] { reference::run(KernelContext{}, forward); };
    differentiate(forward.gate, forward.target, weights, byGate, run);
    differentiate(forward.up, forward.target, weights, byUp, run);
    GatedActivationGradientArgs args;
    args.gradOut = weights;
    args.gate = forward.gate;
    args.up = forward.up;
    args.gradGate = maker.empty(kWide, {20});
    args.gradUp = maker.empty(kWide, {20});
    args.kind = kind;
    reference::run(KernelContext{}, args);
    expectGradient(byGate, args.gradGate, "gate");
    expectGradient(byUp, args.gradUp, "up");
  }
}

TEST(Gradient, SiluMul) {
  Maker maker;
  SiluMulArgs forward;
  forward.gate = maker.normal(kWide, {20}, 2);
  forward.up = maker.normal(kWide, {20});
  forward.target = maker.empty(kWide, {20});
  TensorView weights = maker.normal(kWide, {20}), byGate = maker.empty(kWide, {20}), byUp = maker.empty(kWide, {20});
  auto run = [&] { reference::run(KernelContext{}, forward); };
  differentiate(forward.gate, forward.target, weights, byGate, run);
  differentiate(forward.up, forward.target, weights, byUp, run);
  SiluMulGradientArgs args;
  args.gradOut = weights;
  args.gate = forward.gate;
  args.up = forward.up;
  args.gradGate = maker.empty(kWide, {20});
  args.gradUp = maker.empty(kWide, {20});
  reference::run(KernelContext{}, args);
  expectGradient(byGate, args.gradGate, "gate");
  expectGradient(byUp, args.gradUp, "up");
}

TEST(Gradient, RopeInverse) {
  Maker maker;
  RopeArgs args;
  args.source = maker.normal(kWide, {3, 12});
  args.cosine = maker.normal(kWide, {3, 3});
  args.sine = maker.normal(kWide, {3, 3});
  args.target = maker.empty(kWide, {3, 12});
  args.headDim = 6;
  TensorView weights = maker.normal(kWide, {3, 12}), numeric = maker.empty(kWide, {3, 12});
  differentiate(args.source, args.target, weights, numeric, [&] { reference::run(KernelContext{}, args); });
  RopeArgs back = args;
  back.source = weights;
  back.target = maker.empty(kWide, {3, 12});
  back.inverse = true;
  reference::run(KernelContext{}, back);
  expectGradient(numeric, back.target, "source");
}

TEST(Gradient, Dropout) {
  Maker maker;
  DropoutArgs args;
  args.source = maker.normal(kWide, {4, 5});
  args.target = maker.empty(kWide, {4, 5});
  args.scalars = maker.scalars(StepScalars{});
  args.probability = 0.4;
  args.length = 2;
  TensorView weights = maker.normal(kWide, {4, 5}), numeric = maker.empty(kWide, {4, 5});
  differentiate(args.source, args.target, weights, numeric, [&] { reference::run(KernelContext{}, args); });
  DropoutArgs back = args;
  back.source = weights;
  back.target = maker.empty(kWide, {4, 5});
  reference::run(KernelContext{}, back);
  expectGradient(numeric, back.target, "source");
}

TEST(Gradient, Embedding) {
  Maker maker;
  EmbeddingArgs forward;
  forward.table = maker.normal(kWide, {5, 3});
  forward.ids = maker.integers({8}, 0, 4);
  forward.target = maker.empty(kWide, {8, 3});
  TensorView weights = maker.normal(kWide, {8, 3}), numeric = maker.empty(kWide, {5, 3});
  differentiate(forward.table, forward.target, weights, numeric, [&] { reference::run(KernelContext{}, forward); });
  EmbeddingGradientArgs args;
  args.ids = forward.ids;
  args.gradOut = weights;
  args.gradTable = maker.empty(kWide, {5, 3});
  zero(args.gradTable);
  args.padding = -1;
  reference::run(KernelContext{}, args);
  expectGradient(numeric, args.gradTable, "table");
}

// What PyTorch calls padding_idx is multiplied, but not learned.
TEST(Gradient, EmbeddingLeavesPadding) {
  Maker maker;
  EmbeddingGradientArgs args;
  args.ids = maker.integers({4}, 2, 2);
  args.ids.as<int32_t>()[1] = 1;
  args.gradOut = maker.normal(kWide, {4, 3});
  args.gradTable = maker.empty(kWide, {5, 3});
  zero(args.gradTable);
  args.offset = 1;
  args.padding = 2;
  reference::run(KernelContext{}, args);
  for (int64_t i = 0; i < 15; ++i) // token 1's row is 2
    EXPECT_EQ(loadElement(args.gradTable, i), i / 3 == 2 ? loadElement(args.gradOut, 3 + i % 3) : 0);
}

// y = alpha·x·Wᵀ + b, as a linear layer has it: dx = alpha·dy·W, dW = alpha·dyᵀ·x, db = column sums of dy.
TEST(Gradient, MatmulAndColumnSum) {
  Maker maker;
  MatmulArgs forward;
  forward.a = maker.normal(kWide, {4, 6});
  forward.b = maker.normal(kWide, {5, 6});
  forward.bias = maker.normal(kWide, {5});
  forward.target = maker.empty(kWide, {4, 5});
  forward.transposeB = true;
  forward.alpha = 0.7;
  TensorView weights = maker.normal(kWide, {4, 5});
  TensorView byA = maker.empty(kWide, {4, 6}), byB = maker.empty(kWide, {5, 6}), byBias = maker.empty(kWide, {5});
  auto run = [&] { reference::run(KernelContext{}, forward); };
  differentiate(forward.a, forward.target, weights, byA, run);
  differentiate(forward.b, forward.target, weights, byB, run);
  differentiate(forward.bias, forward.target, weights, byBias, run);
  MatmulArgs gradA;
  gradA.a = weights;
  gradA.b = forward.b;
  gradA.alpha = 0.7;
  gradA.target = maker.empty(kWide, {4, 6});
  reference::run(KernelContext{}, gradA);
  expectGradient(byA, gradA.target, "a");
  MatmulArgs gradB;
  gradB.a = weights;
  gradB.b = forward.a;
  gradB.transposeA = true;
  gradB.alpha = 0.7;
  gradB.target = maker.empty(kWide, {5, 6});
  reference::run(KernelContext{}, gradB);
  expectGradient(byB, gradB.target, "b");
  ColumnSumArgs gradBias;
  gradBias.source = weights;
  gradBias.target = maker.empty(kWide, {5});
  zero(gradBias.target);
  reference::run(KernelContext{}, gradBias);
  expectGradient(byBias, gradBias.target, "bias");
}

struct AttentionKind {
  const char *name;
  int64_t window, keyLength; // causal when the rows are as long
  bool biased, byDistance;
  double dropout = 0;
};

TEST(Gradient, Attention) {
  for (const AttentionKind &kind : {AttentionKind{"causal", 0, 7, false, false}, AttentionKind{"window", 4, 7, false, false},
                                    AttentionKind{"across", 0, 5, false, false}, AttentionKind{"by key", 0, 7, true, false},
                                    AttentionKind{"by distance", 4, 7, true, true}, AttentionKind{"across by distance", 0, 9, true, true},
                                    AttentionKind{"dropped", 0, 7, false, false, 0.4}, AttentionKind{"dropped by distance", 0, 9, true, true, 0.4}}) {
    SCOPED_TRACE(kind.name);
    Maker maker;
    const int64_t keys = 2 * kind.keyLength;
    constexpr int64_t kTokens = 14, kHeads = 4, kKvHeads = 2, kDim = 3;
    AttentionArgs forward;
    forward.query = maker.normal(kWide, {kTokens, kHeads * kDim});
    forward.key = maker.normal(kWide, {keys, kKvHeads * kDim});
    forward.value = maker.normal(kWide, {keys, kKvHeads * kDim});
    forward.segments = maker.integers({kTokens}, 0, 0);
    for (int64_t t : {3, 4, 12, 13})
      forward.segments.as<int32_t>()[t] = 1;
    forward.keyLength = kind.keyLength;
    forward.causal = kind.keyLength == 7;
    forward.keySegments = forward.causal ? forward.segments : maker.integers({keys}, 0, 1);
    forward.biasByDistance = kind.byDistance;
    if (kind.biased)
      forward.bias = maker.normal(kWide, {kHeads, kind.byDistance ? 7 + kind.keyLength - 1 : keys});
    forward.target = maker.empty(kWide, {kTokens, kHeads * kDim});
    forward.logSumExp = maker.empty(kWide, {kHeads, kTokens});
    forward.heads = kHeads;
    forward.kvHeads = kKvHeads;
    forward.length = 7;
    forward.window = kind.window;
    forward.scale = 0.8;
    forward.dropout = kind.dropout;
    if (kind.dropout > 0) {
      StepScalars scalars{};
      scalars.seed = 7;
      forward.scalars = maker.scalars(scalars);
    }
    TensorView weights = maker.normal(kWide, {kTokens, kHeads * kDim});
    TensorView byQuery = maker.empty(kWide, {kTokens, kHeads * kDim});
    TensorView byKey = maker.empty(kWide, {keys, kKvHeads * kDim}), byValue = maker.empty(kWide, {keys, kKvHeads * kDim});
    auto run = [&] { reference::run(KernelContext{}, forward); };
    differentiate(forward.query, forward.target, weights, byQuery, run);
    differentiate(forward.key, forward.target, weights, byKey, run);
    differentiate(forward.value, forward.target, weights, byValue, run);
    TensorView byBias;
    if (kind.byDistance) {
      byBias = maker.empty(kWide, {kHeads, forward.bias.dims[1]});
      differentiate(forward.bias, forward.target, weights, byBias, run);
    }
    AttentionGradientArgs args;
    args.gradOut = weights;
    args.query = forward.query;
    args.key = forward.key;
    args.value = forward.value;
    args.out = forward.target;
    args.logSumExp = forward.logSumExp;
    args.segments = forward.segments;
    args.keySegments = forward.keySegments;
    args.bias = forward.bias;
    args.gradQuery = maker.empty(kWide, {kTokens, kHeads * kDim});
    args.gradKey = maker.empty(kWide, {keys, kKvHeads * kDim});
    args.gradValue = maker.empty(kWide, {keys, kKvHeads * kDim});
    if (kind.byDistance)
      args.gradBias = maker.empty(kWide, {kHeads, forward.bias.dims[1]});
    args.heads = kHeads;
    args.kvHeads = kKvHeads;
    args.length = 7;
    args.window = kind.window;
    args.scale = 0.8;
    args.keyLength = forward.keyLength;
    args.causal = forward.causal;
    args.biasByDistance = forward.biasByDistance;
    args.scalars = forward.scalars;
    args.dropout = forward.dropout;
    reference::run(KernelContext{}, args);
    expectGradient(byQuery, args.gradQuery, "query");
    expectGradient(byKey, args.gradKey, "key");
    expectGradient(byValue, args.gradValue, "value");
    if (kind.byDistance)
      expectGradient(byBias, args.gradBias, "bias");
  }
}

TEST(Gradient, RelativeBias) {
  for (bool bidirectional : {true, false}) {
    Maker maker;
    RelativeBiasArgs forward;
    forward.table = maker.normal(kWide, {6, 3});
    forward.length = 9;
    forward.keyLength = 12;
    forward.maxDistance = 8;
    forward.bidirectional = bidirectional;
    forward.target = maker.empty(kWide, {3, 20});
    TensorView weights = maker.normal(kWide, {3, 20}), byTable = maker.empty(kWide, {6, 3});
    differentiate(forward.table, forward.target, weights, byTable, [&] { reference::run(KernelContext{}, forward); });
    RelativeBiasGradientArgs args;
    args.gradOut = weights;
    args.gradTable = maker.empty(kWide, {6, 3});
    args.length = forward.length;
    args.keyLength = forward.keyLength;
    args.maxDistance = forward.maxDistance;
    args.bidirectional = bidirectional;
    reference::run(KernelContext{}, args);
    expectGradient(byTable, args.gradTable, "table");
  }
}

TEST(Gradient, LinearCrossEntropy) {
  Maker maker;
  LinearCrossEntropyArgs args;
  args.hidden = maker.normal(kWide, {8, 5});
  args.weight = maker.normal(kWide, {7, 5});
  args.labels = maker.integers({8}, 0, 6);
  args.labels.as<int32_t>()[2] = -100;
  args.lossSum = maker.empty(kWide, {1});
  args.chunk = 3;
  args.length = 4;
  TensorView one = maker.empty(kWide, {1}), byHidden = maker.empty(kWide, {8, 5}), byWeight = maker.empty(kWide, {7, 5});
  storeElement(one, 0, 1);
  auto run = [&] {
    zero(args.lossSum);
    reference::run(KernelContext{}, args);
  };
  differentiate(args.hidden, args.lossSum, one, byHidden, run);
  differentiate(args.weight, args.lossSum, one, byWeight, run);
  args.gradHidden = maker.empty(kWide, {8, 5});
  args.gradWeight = maker.empty(kWide, {7, 5});
  zero(args.gradWeight);
  run();
  expectGradient(byHidden, args.gradHidden, "hidden");
  expectGradient(byWeight, args.gradWeight, "weight");
}

} // namespace
} // namespace zp::rt::test
