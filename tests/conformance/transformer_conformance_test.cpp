#include "runtime/schema/workspaces.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

const std::pair<int64_t, int64_t> kMatrices[] = {{1, 1}, {3, 5}, {7, 64}, {130, 65}, {70, 768}};
// A device keeps rows of whole packs between its passes, of up to 4096 columns, up to 8192, and no longer ones.
const std::pair<int64_t, int64_t> kRows[] = {{1, 1}, {3, 5}, {7, 64}, {130, 65}, {70, 768}, {3, 4096}, {2, 4104}, {2, 8192}, {2, 8200}, {2, 8191}};

TEST(Embedding, WithIdsThatAreNone) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (int64_t offset : {0, 2}) {
      EmbeddingArgs args;
      args.table = maker.normal(f, {11, 13});
      args.ids = maker.integers({50}, -1, 11); // below and above: zeros, not foreign memory
      args.target = maker.empty(f, {50, 13});
      args.offset = offset;
      conform(args);
    }
}

// The oracle could be wrong in the same way: by hand, two rows further down.
TEST(Embedding, OffsetIsAddedToWhatIsAnId) {
  Maker maker;
  EmbeddingArgs args;
  args.table = maker.normal(DType::F32, {5, 3});
  args.ids = maker.integers({4}, 0, 0);
  const int32_t ids[4] = {0, 2, -1, 3};
  std::copy(ids, ids + 4, args.ids.as<int32_t>());
  args.target = maker.empty(DType::F32, {4, 3});
  args.offset = 2;
  fast::run(KernelContext{}, args);
  for (int64_t d = 0; d < 3; ++d) {
    EXPECT_EQ(loadElement(args.target, d), loadElement(args.table, 2 * 3 + d));
    EXPECT_EQ(loadElement(args.target, 3 + d), loadElement(args.table, 4 * 3 + d));
    EXPECT_EQ(loadElement(args.target, 6 + d), 0); // padding is none, wherever the offset leads
    EXPECT_EQ(loadElement(args.target, 9 + d), 0); // past the table
  }
}

TEST(EmbeddingGradient, RepeatedIds) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (int64_t width : {1, 13, 200})
      for (int64_t offset : {0, 3}) {
        EmbeddingGradientArgs args;
        args.padding = offset ? 1 : -1;
        args.ids = maker.integers({60}, -1, 5);
        args.gradOut = maker.normal(f, {60, width});
        args.gradTable = maker.normal(DType::F32, {5, width});
        args.offset = offset;
        conform(args);
      }
}

TEST(RmsNorm, Shapes) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [rows, width] : kRows) {
      RmsNormArgs args;
      args.source = maker.normal(f, {rows, width}, 3);
      args.weight = maker.positive(f, {width});
      args.target = maker.empty(f, {rows, width});
      args.rstd = maker.empty(DType::F32, {rows});
      args.epsilon = 1e-5;
      conform(args);
    }
}

TEST(RmsNormGradient, WithAndWithoutResidualAndWeightInPlace) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [rows, width] : kRows)
      for (int bits = 0; bits < 12; ++bits) {
        RmsNormGradientArgs args;
        args.gradOut = maker.normal(f, {rows, width});
        args.source = maker.normal(f, {rows, width}, 2);
        args.weight = maker.positive(f, {width});
        args.rstd = maker.positive(DType::F32, {rows}, 0.4, 0.6);
        if (bits & 1)
          args.residualGradient = maker.normal(f, {rows, width});
        if (bits & 2)
          args.gradWeight = maker.normal(DType::F32, {width});
        int alias = bits / 4;
        if (alias == 1 && !(bits & 1))
          continue;
        args.gradSource = alias == 0 ? maker.empty(f, {rows, width}) : alias == 1 ? args.residualGradient : args.gradOut;
        conform(args, std::to_string(bits));
      }
}

TEST(LayerNorm, ShapesAndRowsFarFromZero) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [rows, width] : kMatrices)
      for (double shift : {0.0, 100.0}) {
        LayerNormArgs args;
        args.source = maker.normal(f, {rows, width}, 3);
        for (int64_t i = 0; i < args.source.elements(); ++i)
          storeElement(args.source, i, loadElement(args.source, i) + shift);
        args.weight = maker.positive(f, {width});
        args.bias = maker.normal(f, {width});
        args.target = maker.empty(f, {rows, width});
        args.mean = maker.empty(DType::F32, {rows});
        args.rstd = maker.empty(DType::F32, {rows});
        args.epsilon = 1e-5;
        if (width > 1) // of one column nothing is left but the rounding of its mean
          conform(args);
      }
}

TEST(LayerNormGradient, WithAndWithoutResidualAndParametersInPlace) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [rows, width] : kMatrices)
      for (int bits = 0; bits < 24; ++bits) {
        LayerNormGradientArgs args;
        args.gradOut = maker.normal(f, {rows, width});
        args.source = maker.normal(f, {rows, width}, 2);
        args.weight = maker.positive(f, {width});
        args.mean = maker.normal(DType::F32, {rows});
        args.rstd = maker.positive(DType::F32, {rows}, 0.4, 0.6);
        if (bits & 1)
          args.residualGradient = maker.normal(f, {rows, width});
        if (bits & 2)
          args.gradWeight = maker.normal(DType::F32, {width});
        if (bits & 4)
          args.gradBias = maker.normal(DType::F32, {width});
        int alias = bits / 8;
        if (alias == 1 && !(bits & 1))
          continue;
        args.gradSource = alias == 0 ? maker.empty(f, {rows, width}) : alias == 1 ? args.residualGradient : args.gradOut;
        conform(args, std::to_string(bits));
      }
}

// Heads and kv heads: BLOOM's, multi-query's, Falcon's groups; the widths around vectors.
const std::array<int64_t, 3> kFusedHeads[] = {{1, 1, 1}, {4, 4, 3}, {5, 1, 8}, {6, 2, 5}, {71, 1, 64}};

TEST(SplitQkv, Layouts) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [heads, kvHeads, headDim] : kFusedHeads)
      for (int64_t tokens : {1, 9, 40}) {
        SplitQkvArgs args;
        args.source = maker.normal(f, {tokens, (heads + 2 * kvHeads) * headDim});
        args.query = maker.empty(f, {tokens, heads * headDim});
        args.key = maker.empty(f, {tokens, kvHeads * headDim});
        args.value = maker.empty(f, {tokens, kvHeads * headDim});
        args.heads = heads;
        args.kvHeads = kvHeads;
        conform(args);
        fast::run(KernelContext{}, args);
        JoinQkvArgs back;
        back.query = args.query;
        back.key = args.key;
        back.value = args.value;
        back.target = maker.empty(f, {tokens, (heads + 2 * kvHeads) * headDim});
        back.heads = heads;
        back.kvHeads = kvHeads;
        fast::run(KernelContext{}, back);
        EXPECT_EQ(std::memcmp(back.target.data, args.source.data, args.source.bytes()), 0);
      }
}

TEST(JoinQkv, LayoutsWithAbsentParts) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [heads, kvHeads, headDim] : kFusedHeads)
      for (int parts = 0; parts < 8; ++parts) {
        JoinQkvArgs args;
        if (parts & 1)
          args.query = maker.normal(f, {7, heads * headDim});
        if (parts & 2)
          args.key = maker.normal(f, {7, kvHeads * headDim});
        if (parts & 4)
          args.value = maker.normal(f, {7, kvHeads * headDim});
        args.target = maker.empty(f, {7, (heads + 2 * kvHeads) * headDim});
        args.heads = heads;
        args.kvHeads = kvHeads;
        conform(args, std::to_string(parts));
      }
}

TEST(RopeTable, LongPositions) {
  Maker maker;
  std::vector<float> frequencies;
  for (int i = 0; i < 11; ++i)
    frequencies.push_back(static_cast<float>(1 / std::pow(10000.0, i / 11.0)));
  for (DType f : kComputeDTypes) {
    RopeTableArgs args;
    args.positions = maker.integers({100}, 0, 131072);
    args.cosine = maker.empty(f, {100, 11});
    args.sine = maker.empty(f, {100, 11});
    args.inverseFrequencies = frequencies;
    args.scaling = 1.2;
    conform(args);
  }
}

TEST(Rope, BothWaysApartAndInPlace) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (int64_t headDim : {2, 10, 32, 128})
      for (bool inverse : {false, true})
        for (bool alias : {false, true}) {
          RopeArgs args;
          args.source = maker.normal(f, {45, 3 * headDim});
          args.cosine = maker.normal(f, {45, headDim / 2});
          args.sine = maker.normal(f, {45, headDim / 2});
          args.target = alias ? args.source : maker.empty(f, {45, 3 * headDim});
          args.headDim = headDim;
          args.inverse = inverse;
          conform(args);
        }
}

TEST(Rope, HeadsThatBeginAnywhere) {
  Maker maker;
  for (DType f : kComputeDTypes) {
    RopeArgs args;
    args.source = maker.normal(f, {46, 96});
    args.cosine = maker.normal(f, {45, 16});
    args.sine = maker.normal(f, {45, 16});
    args.target = maker.empty(f, {45, 96});
    args.headDim = 32;
    args.source.dims[0] = 45;
    args.source.data = args.source.as<uint8_t>() + bytesOf(f, 1);
    RopeArgs expected = args;
    expected.target = maker.empty(f, {45, 96});
    reference::run(KernelContext{}, expected);
    fast::run(KernelContext{}, args);
    EXPECT_LE(relativeError(expected.target, args.target), f == DType::F32 ? 1e-6 : kBf16Tolerance);
  }
}

LinearCrossEntropyArgs crossEntropy(Maker &maker, DType f, int64_t rows, int64_t length, int64_t width, int64_t vocabulary, int64_t chunk,
                                    double counted) {
  int64_t tokens = rows * length;
  LinearCrossEntropyArgs args;
  args.hidden = maker.normal(f, {tokens, width});
  args.weight = maker.normal(f, {vocabulary, width}, 0.5);
  args.labels = maker.integers({tokens}, 0, static_cast<int>(vocabulary) - 1);
  std::uniform_real_distribution<double> uniform;
  for (int64_t t = 0; t < tokens; ++t)
    if (uniform(maker.random()) >= counted)
      args.labels.as<int32_t>()[t] = -100;
  args.workspace = maker.workspace(linearCrossEntropyWorkspaceBytes(chunk, tokens, vocabulary, width, f));
  // In bf16 the largest logits are often within a rounding of each other: who is first is then not the oracle's business.
  args.lossSum = maker.positive(DType::F64, {f == DType::F32 ? 2 : 1});
  args.chunk = chunk;
  args.length = length;
  return args;
}

TEST(LinearCrossEntropy, ChunksMasksAndOptionalGradients) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [rows, length, width, vocabulary, chunk] :
         {std::array<int64_t, 5>{1, 2, 3, 2, 1}, {2, 9, 20, 50, 4}, {3, 20, 33, 111, 60}, {2, 40, 16, 1500, 17}})
      for (double counted : {1.0, 0.5, 0.0})
        for (int gradients = 0; gradients < 4; ++gradients) {
          LinearCrossEntropyArgs args = crossEntropy(maker, f, rows, length, width, vocabulary, chunk, counted);
          if (gradients & 1)
            args.gradHidden = maker.normal(f, {rows * length, width});
          if (gradients & 2)
            args.gradWeight = maker.normal(DType::F32, {vocabulary, width});
          conform(args, std::to_string(gradients));
        }
}

// A pair of sums for each row, whose sums are those of all.
TEST(LinearCrossEntropy, SumsEachRow) {
  Maker maker;
  for (auto [rows, length, chunk] : {std::array<int64_t, 3>{3, 20, 60}, {4, 9, 7}, {5, 2, 10}, {2, 33, 1}})
    for (bool gradient : {false, true}) {
      LinearCrossEntropyArgs args = crossEntropy(maker, DType::F32, rows, length, 20, 50, chunk, 0.7);
      args.lossSum = maker.positive(DType::F64, {2 * rows});
      if (gradient)
        args.gradHidden = maker.empty(DType::F32, {rows * length, 20});
      conform(args, std::to_string(rows) + " rows");
      Copy<LinearCrossEntropyArgs> each(args), all(args);
      for (int64_t i = 0; i < 2 * rows; ++i)
        each.args.lossSum.as<double>()[i] = 0;
      all.args.lossSum = maker.empty(DType::F64, {2});
      std::fill_n(all.args.lossSum.as<double>(), 2, 0.0);
      fast::run(KernelContext{}, each.args);
      fast::run(KernelContext{}, all.args);
      double sums[2] = {};
      for (int64_t i = 0; i < 2 * rows; ++i)
        sums[i % 2] += each.args.lossSum.as<double>()[i];
      EXPECT_NEAR(sums[0], all.args.lossSum.as<double>()[0], 1e-9 * sums[0]);
      EXPECT_EQ(sums[1], all.args.lossSum.as<double>()[1]);
    }
}

// Gradients of the loss times the scale, rounded after it was applied; the loss itself is what it was.
TEST(LinearCrossEntropy, ScalesItsGradients) {
  Maker maker;
  for (DType f : kComputeDTypes) {
    LinearCrossEntropyArgs args = crossEntropy(maker, f, 2, 9, 20, 50, 4, 0.8);
    args.gradHidden = maker.empty(f, {18, 20});
    args.gradWeight = maker.empty(DType::F32, {50, 20});
    std::memset(args.gradWeight.data, 0, args.gradWeight.bytes());
    Copy<LinearCrossEntropyArgs> plain(args);
    fast::run(KernelContext{}, plain.args);
    StepScalars scalars{};
    scalars.lossScale = 0.375f;
    args.scalars = maker.scalars(scalars);
    conform(args, textOf(f));
    Copy<LinearCrossEntropyArgs> scaled(args);
    fast::run(KernelContext{}, scaled.args);
    EXPECT_EQ(plain.args.lossSum.as<double>()[0], scaled.args.lossSum.as<double>()[0]);
    for (int64_t i = 0; i < 50 * 20; ++i)
      plain.args.gradWeight.as<float>()[i] *= 0.375f;
    EXPECT_LE(relativeError(plain.args.gradWeight, scaled.args.gradWeight), 1e-2);
    scaled.args.scalars.as<StepScalars>()->lossScale = 1e8f; // overflows f16, and is meant to
    fast::run(KernelContext{}, scaled.args);
    EXPECT_EQ(std::isfinite(loadElement(scaled.args.gradHidden, 0)), f != DType::F16 || args.labels.as<int32_t>()[1] < 0);
  }
}

// The chunk is a matter of memory: hidden's gradient has the same bits for any.
TEST(LinearCrossEntropy, ChunkDoesNotMatter) {
  Maker maker;
  LinearCrossEntropyArgs args = crossEntropy(maker, DType::F32, 2, 30, 24, 200, 60, 0.8);
  args.gradHidden = maker.empty(DType::F32, {60, 24});
  Copy<LinearCrossEntropyArgs> whole(args);
  fast::run(KernelContext{}, whole.args);
  for (int64_t chunk : {1, 7, 59}) {
    args.chunk = chunk;
    Copy<LinearCrossEntropyArgs> cut(args);
    fast::run(KernelContext{}, cut.args);
    EXPECT_LE(relativeError(whole.args.lossSum, cut.args.lossSum), 1e-7);
    EXPECT_LE(relativeError(whole.args.gradHidden, cut.args.gradHidden), 1e-6);
  }
}

// A target is predicted when its logit is the largest, and of equal ones the first.
TEST(LinearCrossEntropy, CountsWhatIsPredicted) {
  for (DType f : kComputeDTypes)
    for (bool gradient : {false, true}) {
      Maker maker;
      LinearCrossEntropyArgs args = crossEntropy(maker, f, 1, 6, 2, 9, 2, 1);
      args.lossSum = maker.empty(DType::F64, {2});
      std::fill_n(args.lossSum.as<double>(), 2, 0.0);
      if (gradient)
        args.gradHidden = maker.empty(f, {6, 2});
      for (int64_t t = 0; t < 6; ++t) { // all tokens point along the first axis
        storeElement(args.hidden, 2 * t, 1);
        storeElement(args.hidden, 2 * t + 1, 0);
      }
      for (int64_t v = 0; v < 9; ++v) // 3 and 5 are the largest, and equal
        storeElement(args.weight, 2 * v, v == 3 || v == 5 ? 2 : -static_cast<double>(v));
      const int32_t labels[6] = {3, 3, 5, 3, -100, 0};
      std::copy(labels, labels + 6, args.labels.as<int32_t>());
      Copy<LinearCrossEntropyArgs> expected(args);
      reference::run(KernelContext{}, expected.args);
      fast::run(KernelContext{}, args);
      EXPECT_EQ(args.lossSum.as<double>()[1], 2);
      EXPECT_EQ(expected.args.lossSum.as<double>()[1], 2);
    }
}

TEST(LinearCrossEntropy, NanInTheHiddenStateReachesTheLoss) {
  Maker maker;
  LinearCrossEntropyArgs args = crossEntropy(maker, DType::F32, 1, 8, 16, 40, 8, 1);
  args.hidden.as<float>()[3 * 16] = NAN;
  fast::run(KernelContext{}, args);
  EXPECT_TRUE(std::isnan(*args.lossSum.as<double>()));
}

} // namespace
} // namespace zp::rt::test
