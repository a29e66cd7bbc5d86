// The interpreter's own ground: known answers that don't come from it.
#include "tests/interpreter/Batches.h"
#include "tests/interpreter/OpMath.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace zp;
using namespace zp::interpreter;

namespace {

Tensor matrix(int64_t rows, int64_t columns, std::vector<double> values) {
  Tensor tensor({rows, columns});
  tensor.data = std::move(values);
  return tensor;
}
Tensor vector(std::vector<double> values) {
  Tensor tensor({static_cast<int64_t>(values.size())});
  tensor.data = std::move(values);
  return tensor;
}

// The known-answer vectors that Random123 publishes for philox4x32-10.
TEST(Philox, KnownAnswers) {
  struct {
    uint64_t key;
    uint32_t counter[4], expected[4];
  } vectors[] = {
      {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {~uint64_t{0}, {~0u, ~0u, ~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (auto &v : vectors) {
    uint32_t out[4];
    philox(v.key, v.counter, out);
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(out[i], v.expected[i]);
  }
}

// The mask belongs to the row of the update: the second of two rows is the first of the next micro-batch.
TEST(Dropout, FollowsTheRowOfTheUpdate) {
  StepScalars scalars{};
  scalars.seed = 42;
  scalars.optimizerStep = 1;
  Tensor ones({8, 5}, 1.0);
  Tensor both = dropout(ones, scalars, 0.5, 7, 4);
  scalars.rowBase = 1;
  Tensor second = dropout(rowsFrom(ones, 0, 4), scalars, 0.5, 7, 4);
  int kept = 0;
  for (int64_t t = 0; t < 4; ++t)
    for (int64_t d = 0; d < 5; ++d) {
      EXPECT_EQ(both.at(4 + t, d), second.at(t, d));
      EXPECT_TRUE(second.at(t, d) == 0 || second.at(t, d) == 2);
      kept += second.at(t, d) != 0;
    }
  EXPECT_GT(kept, 2);
  EXPECT_LT(kept, 18);
  scalars.optimizerStep = 2;
  EXPECT_NE(dropout(rowsFrom(ones, 0, 4), scalars, 0.5, 7, 4).data, second.data);
}

TEST(RmsNorm, ByHand) { // rows (3, 4): mean square 12.5
  Tensor result, rstd;
  rmsNorm(matrix(1, 2, {3, 4}), vector({2, -1}), 12.5, result, rstd);
  EXPECT_DOUBLE_EQ(rstd[0], 0.2);
  EXPECT_DOUBLE_EQ(result[0], 1.2);
  EXPECT_DOUBLE_EQ(result[1], -0.8);
}

TEST(Rope, QuarterTurn) { // halves (x1, x2) at 90 degrees: (-x2, x1)
  Tensor cosine, sine;
  ropeTable(vector({1}), {M_PI / 2}, 1, cosine, sine);
  Tensor turned = rope(matrix(1, 2, {3, 5}), cosine, sine, 2, false);
  EXPECT_NEAR(turned[0], -5, 1e-15);
  EXPECT_NEAR(turned[1], 3, 1e-15);
  Tensor back = rope(turned, cosine, sine, 2, true);
  EXPECT_NEAR(back[0], 3, 1e-15);
}

// Equal scores: what a token sees is averaged. Two rows of three; the second row's documents are {0} and {1, 2}.
TEST(Attention, SeesItsOwnDocumentAndWindow) {
  Tensor zero({6, 1}), value = matrix(6, 1, {1, 2, 6, 10, 20, 40}), result, lse;
  Tensor segments = vector({0, 0, 0, 0, 1, 1});
  attention(zero, zero, value, segments, segments, {1, 1, 3, 3, 1.0}, result, lse);
  const double all[] = {1, 1.5, 3, 10, 20, 30};
  for (int64_t t = 0; t < 6; ++t)
    EXPECT_NEAR(result[t], all[t], 1e-14) << t;
  EXPECT_NEAR(lse[2], std::log(3.0), 1e-15);
  attention(zero, zero, value, segments, segments, {1, 1, 3, 3, 1.0, true, 2}, result, lse);
  EXPECT_NEAR(result[2], 4, 1e-14); // a window of two: tokens 1 and 2
}

// Two rows of one query and three keys; the second row's query finds nothing of its segment.
TEST(Attention, AcrossRowsWithABias) {
  Tensor zero({2, 1}), keys({6, 1}), value = matrix(6, 1, {1, 2, 6, 10, 20, 40}), result, lse;
  Tensor bias = matrix(1, 3, {0, std::log(2.0), 0}); // as much of the second as of the others together
  AttentionShape shape{1, 1, 1, 3, 1.0, false, 0, &bias, true};
  attention(zero, keys, value, vector({0, 1}), vector({0, 0, 0, 0, 0, -1}), shape, result, lse);
  EXPECT_NEAR(result[0], 0.25 * 1 + 0.5 * 2 + 0.25 * 6, 1e-14);
  EXPECT_EQ(result[1], 0);
  EXPECT_EQ(lse[1], -INFINITY);
}

// Values of their own for each key show which probabilities were kept: plan.attention's formula, a word each.
TEST(Attention, DropsByTheWordsOfTheGenerator) {
  const int64_t length = 2, keys = 6, heads = 2;
  AttentionDropout dropout{0.5, 9, {}};
  dropout.scalars.seed = 0x123456789;
  dropout.scalars.optimizerStep = 4;
  dropout.scalars.rowBase = 3;
  Tensor query({2 * length, heads}), key({2 * keys, heads}), value({2 * keys, heads}), result, lse;
  for (int64_t t = 0; t < 2 * keys; ++t)
    for (int64_t h = 0; h < heads; ++h)
      value.at(t, h) = std::pow(2.0, static_cast<double>(t % keys)); // sums of them are sets of keys
  AttentionShape shape{heads, heads, length, keys, 1.0, false};
  shape.dropout = dropout;
  attention(query, key, value, Tensor({2 * length}), Tensor({2 * keys}), shape, result, lse);
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t i = 0; i < length; ++i)
      for (int64_t h = 0; h < heads; ++h) {
        double expected = 0;
        for (int64_t j = 0; j < keys; ++j) {
          const uint32_t counter[4] = {static_cast<uint32_t>(i * 32768 + j / 4), static_cast<uint32_t>(3 + row), static_cast<uint32_t>(9 + h), 4};
          uint32_t words[4];
          philox(dropout.scalars.seed, counter, words);
          expected += words[j % 4] >= 0x80000000u ? std::pow(2.0, static_cast<double>(j)) : 0;
        }
        EXPECT_NEAR(result.at(row * length + i, h), expected / 6 * 2, 1e-12) << row << " " << i << " " << h;
        EXPECT_NEAR(lse.at(h, row * length + i), std::log(6.0), 1e-12) << "dropout is no part of it";
      }
}

TEST(ClampHalf, BringsDownInfinities) {
  Tensor clamped = clampHalf(vector({INFINITY, -INFINITY, 65504, -1}));
  const double expected[] = {64512, -64512, 65504, -1}, gradients[] = {0, 0, 7, 8};
  Tensor gradient = clampHalfGradient(vector({5, 6, 7, 8}), clamped);
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(clamped[i], expected[i]);
    EXPECT_EQ(gradient[i], gradients[i]);
  }
}

TEST(ReorderCache, TakesRowsAsTheyWere) {
  Tensor cache = matrix(6, 1, {1, 2, 3, 4, 5, 6});
  reorderCache(vector({1, 0, 1}), cache);
  const double expected[] = {3, 4, 1, 2, 3, 4};
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(cache[i], expected[i]);
}

// Without hidden state all words are as likely: ln V for each counted target.
TEST(CrossEntropy, CountsTargetsWithinRows) {
  Tensor labels = vector({1, 2, -100, 3, 4, 0}); // two rows of three: targets 2, none, (row ends), 4, 0
  EXPECT_EQ(countTargets(labels, 3), 3);
  Tensor hidden({6, 2}), weight({5, 2}, 1.0), gradient;
  EXPECT_NEAR(linearCrossEntropy(hidden, weight, labels, 3, &gradient, nullptr).loss, 3 * std::log(5.0), 1e-14);
}

TEST(FinishStep, ClipsTheMean) { // gradient norm 6 over 3 labels: 2; clipped at 1
  StepScalars scalars{};
  scalars.countedLabels = 3;
  Tensor coefficient, metrics;
  finishStep(36, Tensor({1}, 9), scalars, 1.0, coefficient, metrics);
  EXPECT_EQ(metrics[0], 3);
  EXPECT_EQ(metrics[1], 2);
  EXPECT_DOUBLE_EQ(metrics[2], 1 / 2.000001);
  EXPECT_DOUBLE_EQ(coefficient[0], 1 / 2.000001 / 3);
  finishStep(36, Tensor({1}, 9), scalars, 0, coefficient, metrics);
  EXPECT_EQ(metrics[2], 1);
}

TEST(FinishStep, TakesTheLossScaleOutAndUpdatesNothingOnOverflow) {
  StepScalars scalars{};
  scalars.countedLabels = 3;
  scalars.lossScale = 4;
  Tensor coefficient, metrics;
  finishStep(36 * 16, Tensor({1}, 9), scalars, 1.0, coefficient, metrics);
  EXPECT_EQ(metrics[0], 3);
  EXPECT_EQ(metrics[1], 2);
  EXPECT_DOUBLE_EQ(coefficient[0], 1 / 2.000001 / 12);
  for (double overflow : {double(INFINITY), double(NAN)}) {
    finishStep(overflow, Tensor({1}, 9), scalars, 1.0, coefficient, metrics);
    EXPECT_EQ(coefficient[0], 0);
    EXPECT_FALSE(std::isfinite(metrics[1]));
  }
}

TEST(CrossEntropy, ScalesGradientsAlone) {
  Tensor labels = vector({0, 1}), hidden({2, 2}, 0.5), weight({3, 2}, 1.0), plain, scaled;
  weight.at(1, 0) = -2;
  double loss = linearCrossEntropy(hidden, weight, labels, 2, &plain, nullptr).loss;
  EXPECT_EQ(linearCrossEntropy(hidden, weight, labels, 2, &scaled, nullptr, 8).loss, loss);
  EXPECT_NE(plain[0], 0);
  EXPECT_DOUBLE_EQ(scaled[0], 8 * plain[0]);
}

// The first step of Adam moves by the rate, whatever the gradient's size; decay comes first.
TEST(Adamw, FirstStep) {
  StepScalars scalars{};
  scalars.learningRate = 0.5f;
  scalars.biasCorrection1 = 1 - 0.9f;
  scalars.biasCorrection2 = 1 - 0.999f;
  double value = 4, m = 0, v = 0;
  adamw(1000, scalars, {0.9, 0.999, 0, 0.25}, true, value, m, v);
  EXPECT_NEAR(value, 4 * (1 - 0.125) - 0.5, 1e-4);
  EXPECT_NEAR(m, 100, 1e-12);
  double undecayed = 4;
  m = v = 0;
  adamw(-1000, scalars, {0.9, 0.999, 0, 0.25}, false, undecayed, m, v);
  EXPECT_NEAR(undecayed, 4.5, 1e-4);
}

} // namespace
