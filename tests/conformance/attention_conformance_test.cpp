#include "runtime/kernels/attention/attention.h"
#include "runtime/schema/workspaces.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

struct Case {
  int64_t rows, length, heads, kvHeads, headDim, window;
  enum Segments { One, Packed, Scattered, Padded } segments;
};
void PrintTo(const Case &c, std::ostream *out) {
  *out << c.rows << "x" << c.length << " heads " << c.heads << "/" << c.kvHeads << " d " << c.headDim << " window " << c.window
       << " segments " << c.segments;
}

TensorView segmentsOf(Maker &maker, const Case &c) {
  TensorView segments = maker.integers({c.rows * c.length}, 0, 2);
  int32_t *at = segments.as<int32_t>();
  for (int64_t t = 0; t < c.rows * c.length; ++t) {
    int64_t place = t % c.length;
    if (c.segments == Case::One)
      at[t] = 0;
    else if (c.segments == Case::Packed) // documents of uneven length, one after the other
      at[t] = static_cast<int32_t>(std::sqrt(static_cast<double>(place)) / 2);
    else if (c.segments == Case::Padded)
      at[t] = place < c.length * 2 / 3 ? 0 : -1;
  }
  return segments;
}

AttentionArgs attention(Maker &maker, DType f, const Case &c) {
  int64_t tokens = c.rows * c.length;
  AttentionArgs args;
  args.query = maker.normal(f, {tokens, c.heads * c.headDim}, 2);
  args.key = maker.normal(f, {tokens, c.kvHeads * c.headDim}, 2);
  args.value = maker.normal(f, {tokens, c.kvHeads * c.headDim});
  args.segments = segmentsOf(maker, c);
  args.target = maker.empty(f, {tokens, c.heads * c.headDim});
  args.logSumExp = maker.empty(DType::F32, {c.heads, tokens});
  args.heads = c.heads;
  args.kvHeads = c.kvHeads;
  args.length = c.length;
  args.window = c.window;
  args.scale = 1 / std::sqrt(static_cast<double>(c.headDim));
  return args;
}

/// The engine's way through bf16, emulated: its packing and blocking on any machine.
void onEngines(const AttentionArgs &forward, const AttentionGradientArgs &gradient) {
  Copy<AttentionArgs> expected(forward);
  Copy<AttentionGradientArgs> expectedGradient(gradient);
  reference::run(KernelContext{}, expected.args);
  reference::run(KernelContext{}, expectedGradient.args);
  for (bool amxShape : {true, false}) {
    const Bf16Engine &engine = emulatedBf16Engine(amxShape);
    Copy<AttentionArgs> actual(forward);
    Threads parallel(2);
    KernelContext context;
    context.parallel = &parallel;
    attention(context, actual.args, &engine);
    EXPECT_TRUE(actual.arena.intact());
    EXPECT_LE(relativeError(expected.args.target, actual.args.target), 2e-2) << engine.name;
    EXPECT_LE(relativeError(expected.args.logSumExp, actual.args.logSumExp), 1e-4) << engine.name;
    Copy<AttentionGradientArgs> actualGradient(gradient);
    attentionGradient(context, actualGradient.args, &engine);
    EXPECT_TRUE(actualGradient.arena.intact());
    EXPECT_LE(relativeError(expectedGradient.args.gradQuery, actualGradient.args.gradQuery), 2e-2) << engine.name;
    EXPECT_LE(relativeError(expectedGradient.args.gradKey, actualGradient.args.gradKey), 2e-2) << engine.name;
    EXPECT_LE(relativeError(expectedGradient.args.gradValue, actualGradient.args.gradValue), 2e-2) << engine.name;
  }
}

class Attention : public ::testing::TestWithParam<Case> {};

TEST_P(Attention, ForwardAndGradient) {
  const Case &c = GetParam();
  for (DType f : kBoth) {
    Maker maker;
    AttentionArgs forward = attention(maker, f, c);
    conform(forward, textOf(f));
    reference::run(KernelContext{}, forward);
    AttentionGradientArgs args;
    args.gradOut = maker.normal(f, {c.rows * c.length, c.heads * c.headDim});
    args.query = forward.query;
    args.key = forward.key;
    args.value = forward.value;
    args.out = forward.target;
    args.logSumExp = forward.logSumExp;
    args.segments = forward.segments;
    args.workspace = maker.workspace(attentionGradientWorkspaceBytes(c.heads, c.rows * c.length, c.headDim, f));
    args.gradQuery = maker.empty(f, {c.rows * c.length, c.heads * c.headDim});
    args.gradKey = maker.empty(f, {c.rows * c.length, c.kvHeads * c.headDim});
    args.gradValue = maker.empty(f, {c.rows * c.length, c.kvHeads * c.headDim});
    args.heads = forward.heads;
    args.kvHeads = forward.kvHeads;
    args.length = forward.length;
    args.window = forward.window;
    args.scale = forward.scale;
    conform(args, textOf(f));
    if (f == DType::BF16)
      onEngines(forward, args);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Attention,
    ::testing::Values(Case{1, 1, 1, 1, 1, 0, Case::One}, Case{2, 5, 2, 1, 3, 0, Case::One}, Case{1, 33, 4, 2, 20, 0, Case::One},
                      Case{2, 97, 3, 3, 64, 0, Case::One}, Case{1, 200, 4, 1, 16, 0, Case::One}, Case{1, 300, 2, 1, 24, 0, Case::One},
                      Case{1, 130, 1, 1, 256, 0, Case::One}, Case{3, 40, 6, 2, 8, 7, Case::One}, Case{1, 300, 2, 2, 12, 50, Case::One},
                      Case{1, 250, 1, 1, 16, 2, Case::One}, Case{2, 220, 2, 1, 16, 0, Case::Packed},
                      Case{2, 220, 2, 1, 16, 30, Case::Packed}, Case{1, 150, 2, 2, 10, 0, Case::Scattered},
                      Case{1, 260, 2, 1, 32, 0, Case::Padded}));

// The kernel must not look at what the mask hides, be it infinite.
TEST(AttentionMask, HiddenKeysDoNotMatter) {
  Maker maker;
  Case c{1, 120, 1, 1, 16, 0, Case::One};
  AttentionArgs args = attention(maker, DType::F32, c);
  for (int64_t t = 60; t < 120; ++t)
    args.segments.as<int32_t>()[t] = 1;
  Copy<AttentionArgs> before(args);
  cpu::run(KernelContext{}, before.args);
  for (int64_t i = 0; i < 60 * 16; ++i)
    args.key.as<float>()[i] = 1e30f;
  Copy<AttentionArgs> after(args);
  cpu::run(KernelContext{}, after.args);
  EXPECT_EQ(std::memcmp(before.args.target.as<float>() + 60 * 16, after.args.target.as<float>() + 60 * 16, 60 * 16 * 4), 0);
}

TEST(AttentionValues, NanReachesTheOutput) {
  Maker maker;
  AttentionArgs args = attention(maker, DType::F32, {1, 20, 1, 1, 8, 0, Case::One});
  args.query.as<float>()[5 * 8] = NAN;
  cpu::run(KernelContext{}, args);
  EXPECT_TRUE(std::isnan(args.target.as<float>()[5 * 8]));
  EXPECT_TRUE(std::isfinite(args.target.as<float>()[6 * 8]));
}

// A key that is no number spoils every query that sees it, wherever it stands in a tile, and no other.
TEST(AttentionValues, NanOfAKeyReachesWhoSeesIt) {
  constexpr int64_t kLength = 200, kHeadDim = 16;
  for (int64_t spoiled : {0, 1, 15, 40, 63, 64, 130}) {
    Maker maker;
    AttentionArgs args = attention(maker, DType::F32, {1, kLength, 1, 1, kHeadDim, 0, Case::One});
    args.key.as<float>()[spoiled * kHeadDim] = NAN;
    cpu::run(KernelContext{}, args);
    for (int64_t t = 0; t < kLength; ++t)
      EXPECT_EQ(std::isnan(args.target.as<float>()[t * kHeadDim]), t >= spoiled) << "key " << spoiled << ", query " << t;
  }
}

} // namespace
} // namespace zp::rt::test
