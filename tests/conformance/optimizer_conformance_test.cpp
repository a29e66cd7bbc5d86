#include <optional>

#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

TEST(SumSquares, SeveralBlocks) {
  Maker maker;
  for (int64_t count : {1, 3, 1000, 65536, 200003}) {
    SumSquaresArgs args;
    args.source = maker.normal(DType::F32, {count});
    args.target = maker.positive(DType::F64, {1});
    conform(args);
  }
}

FinishStepArgs finishStep(Maker &maker, double squareSum, double lossSum, double counted, double maxNorm) {
  FinishStepArgs args;
  args.squareSum = maker.empty(DType::F64, {1});
  *args.squareSum.as<double>() = squareSum;
  args.lossSum = maker.empty(DType::F64, {1});
  *args.lossSum.as<double>() = lossSum;
  StepScalars scalars{};
  scalars.countedLabels = counted;
  args.scalars = maker.scalars(scalars);
  args.coefficient = maker.empty(DType::F32, {1});
  args.metrics = maker.empty(DType::F64, {4});
  args.maxNorm = maxNorm;
  return args;
}

// By hand: ‖g‖ = sqrt(1600)/8 = 5; clip = 2/(5 + 1e-6).
TEST(FinishStep, ClipsByTorchsFormula) {
  Maker maker;
  FinishStepArgs args = finishStep(maker, 1600, 24, 8, 2);
  conform(args);
  fast::run(KernelContext{}, args);
  const double *metrics = args.metrics.as<double>();
  EXPECT_DOUBLE_EQ(metrics[0], 3);
  EXPECT_DOUBLE_EQ(metrics[1], 5);
  EXPECT_DOUBLE_EQ(metrics[2], 2 / (5 + 1e-6));
  EXPECT_DOUBLE_EQ(metrics[3], 8);
  EXPECT_FLOAT_EQ(*args.coefficient.as<float>(), 2 / (5 + 1e-6) / 8);
}

TEST(FinishStep, GivesTheShareOfRightPredictions) {
  Maker maker;
  FinishStepArgs args = finishStep(maker, 1600, 24, 8, 2);
  args.lossSum = maker.empty(DType::F64, {2});
  args.lossSum.as<double>()[0] = 24;
  args.lossSum.as<double>()[1] = 6;
  args.metrics = maker.empty(DType::F64, {5});
  conform(args);
  fast::run(KernelContext{}, args);
  EXPECT_DOUBLE_EQ(args.metrics.as<double>()[0], 3);
  EXPECT_DOUBLE_EQ(args.metrics.as<double>()[4], 0.75);
}

TEST(FinishStep, WithoutClippingAndWithoutLabels) {
  Maker maker;
  FinishStepArgs args = finishStep(maker, 1600, 24, 8, 0);
  fast::run(KernelContext{}, args);
  EXPECT_FLOAT_EQ(*args.coefficient.as<float>(), 0.125f);
  args = finishStep(maker, 0.04, 0, 0, 1);
  fast::run(KernelContext{}, args);
  EXPECT_FLOAT_EQ(*args.coefficient.as<float>(), 1);
  EXPECT_DOUBLE_EQ(args.metrics.as<double>()[3], 1);
}

// Gradients of 4·loss: ‖g‖ = sqrt(1600·16)/(8·4) = 5 again.
TEST(FinishStep, TakesTheLossScaleOut) {
  Maker maker;
  FinishStepArgs args = finishStep(maker, 1600 * 16, 24, 8, 2);
  args.scalars.as<StepScalars>()->lossScale = 4;
  conform(args);
  fast::run(KernelContext{}, args);
  EXPECT_DOUBLE_EQ(args.metrics.as<double>()[0], 3);
  EXPECT_DOUBLE_EQ(args.metrics.as<double>()[1], 5);
  EXPECT_FLOAT_EQ(*args.coefficient.as<float>(), 2 / (5 + 1e-6) / 32);
}

TEST(FinishStep, AnOverflowUpdatesNothing) {
  Maker maker;
  for (double overflow : {double{INFINITY}, double{NAN}})
    for (double maxNorm : {0.0, 2.0}) {
      FinishStepArgs args = finishStep(maker, overflow, 24, 8, maxNorm);
      conform(args);
      fast::run(KernelContext{}, args);
      EXPECT_EQ(*args.coefficient.as<float>(), 0);
      EXPECT_EQ(args.metrics.as<double>()[0], 3) << "the loss may be finite yet";
      EXPECT_FALSE(std::isfinite(args.metrics.as<double>()[1]));
    }
}

AdamwArgs adamw(Maker &maker, int64_t count, std::optional<DType> copy = {}) {
  AdamwArgs args;
  args.gradient = maker.normal(DType::F32, {count});
  args.coefficient = maker.positive(DType::F32, {1});
  args.master = maker.normal(DType::F32, {count});
  args.moment1 = maker.normal(DType::F32, {count}, 0.1);
  args.moment2 = maker.positive(DType::F32, {count}, 1e-6, 0.01);
  if (copy)
    args.computeCopy = maker.empty(*copy, {count});
  StepScalars scalars{};
  scalars.learningRate = 0.01f;
  scalars.biasCorrection1 = 1 - 0.9f * 0.9f * 0.9f;
  scalars.biasCorrection2 = 0.003f;
  args.scalars = maker.scalars(scalars);
  args.beta1 = 0.9;
  args.beta2 = 0.999;
  args.epsilon = 1e-8;
  args.weightDecay = 0.1;
  return args;
}

TEST(Adamw, DecayBordersAndCopies) {
  Maker maker;
  for (int64_t count : {1, 100, 40000})
    for (std::optional<DType> copy : {std::optional<DType>(), {DType::BF16}, {DType::F16}})
      for (int64_t decayEnd : {int64_t{0}, count / 3, count, count * 5}) {
        AdamwArgs args = adamw(maker, count, copy);
        args.decayEnd = decayEnd;
        conform(args, std::to_string(decayEnd));
      }
}

// A coefficient of 0 is finish_step's word for gradients that overflowed: nothing of them may get in.
TEST(Adamw, AnOverflowLeavesAllAsItWas) {
  Maker maker;
  for (std::optional<DType> copy : {std::optional<DType>(), {DType::BF16}, {DType::F16}}) {
    AdamwArgs args = adamw(maker, 100, copy);
    args.decayEnd = 100;
    *args.coefficient.as<float>() = 0;
    args.gradient.as<float>()[7] = INFINITY;
    args.gradient.as<float>()[8] = NAN;
    conform(args);
    Copy<AdamwArgs> after(args);
    fast::run(KernelContext{}, after.args);
    for (TensorView AdamwArgs::*state : {&AdamwArgs::master, &AdamwArgs::moment1, &AdamwArgs::moment2})
      EXPECT_EQ(std::memcmp((args.*state).data, (after.args.*state).data, (args.*state).bytes()), 0);
    for (int64_t i = 0; copy && i < 100; ++i)
      EXPECT_EQ(loadElement(after.args.computeCopy, i), roundTo(*copy, loadElement(args.master, i)));
  }
}

// Element i of a shard is element rank·n + i of the section: rank 1 of [0, 200) decays nothing when decay ends at 100.
TEST(Adamw, ShardsDecayByTheirPlaceInTheSection) {
  Maker maker;
  AdamwArgs args = adamw(maker, 100);
  args.sharded = true;
  args.decayEnd = 130;
  KernelContext second;
  second.rank = 1;
  second.ranks = 2;
  Copy<AdamwArgs> expected(args), actual(args);
  reference::run(second, expected.args);
  fast::run(second, actual.args);
  EXPECT_LE(relativeError(expected.args.master, actual.args.master), 1e-6);
  args.weightDecay = 0;
  Copy<AdamwArgs> without(args);
  fast::run(second, without.args);
  EXPECT_NE(actual.args.master.as<float>()[29], without.args.master.as<float>()[29]);
  EXPECT_EQ(actual.args.master.as<float>()[30], without.args.master.as<float>()[30]);
}

// torch.optim.AdamW by hand, two steps: lr 0.1, betas 0.9/0.999, eps 1e-8, weight decay 0.01; p = 1, g = 0.5 then -0.25.
//   step 1: p = 0.999; m = 0.05; v = 2.5e-4; mhat = 0.5; vhat = 0.25; p = 0.999 - 0.1·0.5/(0.5 + 1e-8) = 0.899
//   step 2: p = 0.899·0.999 = 0.898101; m = 0.9·0.05 - 0.1·0.25 = 0.02; v = 0.999·2.5e-4 + 0.001·0.0625 = 3.1225e-4
//           mhat = 0.02/0.19; vhat = 3.1225e-4/0.001999; p = 0.898101 - 0.1·mhat/(sqrt(vhat) + 1e-8)
TEST(Adamw, TorchByHand) {
  const double mhat = 0.02 / 0.19, vhat = 3.1225e-4 / 0.001999;
  const double expected[] = {0.899, 0.898101 - 0.1 * mhat / (std::sqrt(vhat) + 1e-8)};
  for (auto run : {static_cast<void (*)(const KernelContext &, const AdamwArgs &)>(reference::run),
                   static_cast<void (*)(const KernelContext &, const AdamwArgs &)>(fast::run)}) {
    Maker maker;
    AdamwArgs args = adamw(maker, 1);
    args.weightDecay = 0.01;
    args.decayEnd = 1;
    *args.coefficient.as<float>() = 0.25f; // the summed gradients are 2 and -1
    args.master.as<float>()[0] = 1;
    args.moment1.as<float>()[0] = args.moment2.as<float>()[0] = 0;
    for (int step = 0; step < 2; ++step) {
      args.gradient.as<float>()[0] = step == 0 ? 2.0f : -1.0f;
      StepScalars scalars{};
      scalars.learningRate = 0.1f;
      scalars.biasCorrection1 = static_cast<float>(1 - std::pow(0.9, step + 1));
      scalars.biasCorrection2 = static_cast<float>(1 - std::pow(0.999, step + 1));
      args.scalars = maker.scalars(scalars);
      run(KernelContext{}, args);
      EXPECT_NEAR(args.master.as<float>()[0], expected[step], 2e-7);
    }
    EXPECT_NEAR(args.moment1.as<float>()[0], 0.02, 1e-8);
    EXPECT_NEAR(args.moment2.as<float>()[0], 3.1225e-4, 1e-10);
  }
}

} // namespace
} // namespace zp::rt::test
