#include "runtime/kernels/attention/attention.h"
#include "runtime/schema/workspaces.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

struct Case {
  int64_t rows, length, heads, kvHeads, headDim, window;
  enum Segments { One, Packed, Scattered, Padded } segments;
  int64_t keyLength = 0; // causal when none is given
  enum Bias { None, ByKey, ByDistance } bias = None;
  double dropout = 0;
  int64_t keys() const { return rows * (keyLength ? keyLength : length); }
};
void PrintTo(const Case &c, std::ostream *out) {
  *out << c.rows << "x" << c.length << " heads " << c.heads << "/" << c.kvHeads << " d " << c.headDim << " window " << c.window << " segments "
       << c.segments << " keys " << c.keyLength << " bias " << c.bias << " dropout " << c.dropout;
}

TensorView segmentsOf(Maker &maker, const Case &c, int64_t length) {
  TensorView segments = maker.integers({c.rows * length}, 0, 2);
  int32_t *at = segments.as<int32_t>();
  for (int64_t t = 0; t < c.rows * length; ++t) {
    int64_t place = t % length;
    if (c.segments == Case::One)
      at[t] = 0;
    else if (c.segments == Case::Packed) // documents of uneven length, one after the other
      at[t] = static_cast<int32_t>(std::sqrt(static_cast<double>(place)) / 2);
    else if (c.segments == Case::Padded)
      at[t] = place < length * 2 / 3 ? 0 : -1;
  }
  return segments;
}

AttentionArgs attention(Maker &maker, DType f, const Case &c) {
  int64_t tokens = c.rows * c.length;
  AttentionArgs args;
  args.query = maker.normal(f, {tokens, c.heads * c.headDim}, 2);
  args.key = maker.normal(f, {c.keys(), c.kvHeads * c.headDim}, 2);
  args.value = maker.normal(f, {c.keys(), c.kvHeads * c.headDim});
  args.segments = segmentsOf(maker, c, c.length);
  args.keySegments = c.keyLength ? segmentsOf(maker, c, c.keyLength) : args.segments;
  args.keyLength = c.keys() / c.rows;
  args.causal = c.keyLength == 0;
  args.biasByDistance = c.bias == Case::ByDistance;
  if (c.bias != Case::None)
    args.bias = maker.normal(DType::F32, {c.heads, args.biasByDistance ? c.length + args.keyLength - 1 : c.keys()}, 2);
  args.target = maker.empty(f, {tokens, c.heads * c.headDim});
  args.logSumExp = maker.empty(DType::F32, {c.heads, tokens});
  args.heads = c.heads;
  args.kvHeads = c.kvHeads;
  args.length = c.length;
  args.window = c.window;
  args.scale = 1 / std::sqrt(static_cast<double>(c.headDim));
  args.dropout = c.dropout;
  if (c.dropout > 0) {
    StepScalars scalars{};
    scalars.seed = 0x123456789abcdef0ull;
    scalars.optimizerStep = 5;
    scalars.rowBase = 11;
    args.scalars = maker.scalars(scalars);
    args.site = 3;
  }
  return args;
}

// As the compiler places a gradient's workspace: with room for fused kernels where the suite may have some.
#ifdef ZP_CONFORM_CUDA
constexpr uint64_t kAttentionBytes = 640u << 20;
#else
constexpr uint64_t kAttentionBytes = 0;
#endif

/// The gradient of what the forward arguments have computed.
AttentionGradientArgs gradientOf(Maker &maker, const AttentionArgs &forward) {
  const DType f = forward.query.dtype;
  const int64_t tokens = forward.query.dims[0], width = forward.query.dims[1], keys = forward.key.dims[0], kvWidth = forward.key.dims[1];
  AttentionGradientArgs args;
  args.gradOut = maker.normal(f, {tokens, width});
  args.query = forward.query;
  args.key = forward.key;
  args.value = forward.value;
  args.out = forward.target;
  args.logSumExp = forward.logSumExp;
  args.segments = forward.segments;
  args.keySegments = forward.keySegments;
  args.bias = forward.bias;
  args.workspace = maker.workspace(
      attentionGradientPlacedBytes(forward.heads, forward.kvHeads, tokens, forward.length, width / forward.heads, f, kAttentionBytes));
  args.gradQuery = maker.empty(f, {tokens, width});
  args.gradKey = maker.empty(f, {keys, kvWidth});
  args.gradValue = maker.empty(f, {keys, kvWidth});
  if (forward.biasByDistance)
    args.gradBias = maker.empty(DType::F32, {forward.bias.dims[0], forward.bias.dims[1]});
  args.heads = forward.heads;
  args.kvHeads = forward.kvHeads;
  args.length = forward.length;
  args.window = forward.window;
  args.scale = forward.scale;
  args.keyLength = forward.keyLength;
  args.causal = forward.causal;
  args.biasByDistance = forward.biasByDistance;
  args.scalars = forward.scalars;
  args.dropout = forward.dropout;
  args.site = forward.site;
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
    if (gradient.gradBias) {
      EXPECT_LE(relativeError(expectedGradient.args.gradBias, actualGradient.args.gradBias), 2e-2) << engine.name;
    }
  }
}

class Attention : public ::testing::TestWithParam<Case> {};

TEST_P(Attention, ForwardAndGradient) {
  const Case &c = GetParam();
  for (DType f : kComputeDTypes) {
    Maker maker;
    AttentionArgs forward = attention(maker, f, c);
    conform(forward, textOf(f));
    reference::run(KernelContext{}, forward);
    AttentionGradientArgs args = gradientOf(maker, forward);
    conform(args, textOf(f));
    if (f == DType::BF16)
      onEngines(forward, args);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Attention,
                         ::testing::Values(Case{1, 1, 1, 1, 1, 0, Case::One}, Case{2, 5, 2, 1, 3, 0, Case::One}, Case{1, 33, 4, 2, 20, 0, Case::One},
                                           Case{2, 97, 3, 3, 64, 0, Case::One}, Case{1, 200, 4, 1, 16, 0, Case::One},
                                           Case{1, 300, 2, 1, 24, 0, Case::One}, Case{1, 130, 1, 1, 256, 0, Case::One},
                                           Case{3, 40, 6, 2, 8, 7, Case::One}, Case{1, 300, 2, 2, 12, 50, Case::One},
                                           Case{1, 250, 1, 1, 16, 2, Case::One}, Case{2, 220, 2, 1, 16, 0, Case::Packed},
                                           Case{2, 220, 2, 1, 16, 30, Case::Packed}, Case{1, 150, 2, 2, 10, 0, Case::Scattered},
                                           Case{1, 260, 2, 1, 32, 0, Case::Padded}, Case{2, 150, 2, 1, 128, 0, Case::Packed},
                                           Case{1, 140, 2, 2, 80, 40, Case::One}));

INSTANTIATE_TEST_SUITE_P(AcrossRows, Attention,
                         ::testing::Values(Case{1, 1, 1, 1, 1, 0, Case::One, 1}, Case{2, 5, 2, 1, 3, 0, Case::One, 9},
                                           Case{3, 1, 4, 2, 20, 0, Case::One, 40}, Case{2, 97, 3, 3, 64, 0, Case::One, 97},
                                           Case{1, 33, 4, 1, 16, 0, Case::One, 192}, Case{1, 300, 2, 1, 24, 0, Case::One, 70},
                                           Case{1, 130, 1, 1, 256, 0, Case::One, 100}, Case{2, 220, 2, 1, 16, 0, Case::Packed, 150},
                                           Case{2, 150, 2, 2, 10, 0, Case::Scattered, 130}, Case{2, 120, 2, 1, 32, 0, Case::Padded, 260}));

INSTANTIATE_TEST_SUITE_P(
    Biased, Attention,
    ::testing::Values(Case{1, 1, 1, 1, 1, 0, Case::One, 0, Case::ByDistance}, Case{2, 5, 2, 1, 3, 0, Case::One, 9, Case::ByDistance},
                      Case{2, 97, 3, 3, 64, 0, Case::One, 0, Case::ByDistance}, Case{3, 40, 6, 2, 8, 7, Case::One, 0, Case::ByDistance},
                      Case{2, 200, 2, 1, 16, 0, Case::Padded, 130, Case::ByDistance}, Case{1, 70, 2, 2, 24, 0, Case::One, 300, Case::ByDistance},
                      Case{2, 150, 2, 2, 10, 0, Case::Scattered, 150, Case::ByDistance}, Case{2, 5, 2, 1, 3, 0, Case::One, 0, Case::ByKey},
                      Case{2, 220, 2, 1, 16, 30, Case::Packed, 0, Case::ByKey}, Case{2, 300, 4, 1, 24, 0, Case::One, 0, Case::ByKey},
                      Case{2, 33, 3, 3, 20, 0, Case::Padded, 200, Case::ByKey}));

INSTANTIATE_TEST_SUITE_P(
    Dropped, Attention,
    ::testing::Values(Case{1, 1, 1, 1, 1, 0, Case::One, 0, Case::None, 0.5}, Case{2, 5, 2, 1, 3, 0, Case::One, 9, Case::None, 0.1},
                      Case{2, 97, 3, 3, 64, 0, Case::One, 0, Case::ByDistance, 0.25}, Case{3, 40, 6, 2, 8, 7, Case::One, 0, Case::None, 0.5},
                      Case{1, 300, 2, 1, 24, 0, Case::One, 70, Case::None, 0.9}, Case{1, 130, 1, 1, 256, 0, Case::One, 0, Case::ByKey, 0.1},
                      Case{2, 220, 2, 1, 16, 30, Case::Packed, 0, Case::ByKey, 0.1},
                      Case{2, 150, 2, 2, 10, 0, Case::Scattered, 150, Case::ByDistance, 0.3},
                      Case{2, 200, 2, 1, 16, 0, Case::Padded, 130, Case::None, 0.1}, Case{2, 33, 2, 2, 16, 0, Case::One, 0, Case::None, 0.999},
                      Case{1, 90, 2, 1, 96, 0, Case::One, 130, Case::ByDistance, 0.2}));

/// A gradient that is the same for every element of the output, and values that are 1: what is left of each probability shows.
AttentionArgs evenAttention(Maker &maker, int64_t rows, int64_t length, int64_t keyLength, double dropout) {
  AttentionArgs args = attention(maker, DType::F32, {rows, length, 2, 2, 4, 0, Case::One, keyLength, Case::None, dropout});
  std::memset(args.query.data, 0, args.query.bytes());
  for (int64_t i = 0; i < args.value.elements(); ++i)
    args.value.as<float>()[i] = 1;
  return args;
}

TEST(AttentionDropout, KeepsTheExpectedShareAndScalesIt) {
  Maker maker;
  AttentionArgs args = evenAttention(maker, 4, 100, 200, 0.1);
  fast::run(KernelContext{}, args);
  double sum = 0;
  std::set<float> seen;
  for (int64_t i = 0; i < args.target.elements(); i += 4) { // a query and a head each
    const float kept = args.target.as<float>()[i];
    ASSERT_NEAR(kept * 200 * 0.9, std::round(kept * 200 * 0.9), 1e-3) << "a whole number of keys is kept";
    sum += kept;
    seen.insert(kept);
  }
  EXPECT_NEAR(sum / 800, 1, 0.005);
  EXPECT_GT(seen.size(), 10u) << "masks of their own";
}

// The mask is a fact of the place in the update: of the row, of the head, of query and key, whatever stands beside them.
TEST(AttentionDropout, RowsAreKeyedByTheirPlaceInTheUpdate) {
  Maker maker;
  AttentionArgs both = attention(maker, DType::F32, {2, 40, 2, 1, 8, 0, Case::One, 100, Case::None, 0.4});
  fast::run(KernelContext{}, both);
  AttentionArgs second = both;
  auto secondRow = [](TensorView &view, int64_t rows) {
    view.data = view.as<char>() + view.bytes() / 2;
    view.dims[0] = rows;
  };
  for (TensorView *view : {&second.query, &second.segments})
    secondRow(*view, 40);
  for (TensorView *view : {&second.key, &second.value, &second.keySegments})
    secondRow(*view, 100);
  second.target = maker.empty(DType::F32, {40, 16});
  second.logSumExp = maker.empty(DType::F32, {2, 40});
  StepScalars scalars = *both.scalars.as<StepScalars>();
  ++scalars.rowBase;
  second.scalars = maker.scalars(scalars);
  fast::run(KernelContext{}, second);
  EXPECT_EQ(std::memcmp(second.target.data, both.target.as<float>() + 40 * 16, second.target.bytes()), 0);
}

TEST(AttentionDropout, LongerRowsOfPaddingChangeNoMask) {
  Maker maker;
  AttentionArgs brief = attention(maker, DType::F32, {1, 30, 2, 2, 8, 0, Case::One, 101, Case::None, 0.4}), padded = brief;
  fast::run(KernelContext{}, brief);
  auto lengthened = [&](const TensorView &view, int64_t rows) {
    TensorView longer = view.rank == 1 ? maker.integers({rows}, -1, -1) : maker.normal(DType::F32, {rows, view.dims[1]});
    std::memcpy(longer.data, view.data, view.bytes());
    return longer;
  };
  for (TensorView *view : {&padded.query, &padded.segments})
    *view = lengthened(*view, 50);
  for (TensorView *view : {&padded.key, &padded.value, &padded.keySegments})
    *view = lengthened(*view, 230);
  padded.length = 50;
  padded.keyLength = 230;
  padded.target = maker.empty(DType::F32, {50, 16});
  padded.logSumExp = maker.empty(DType::F32, {2, 50});
  fast::run(KernelContext{}, padded);
  for (int64_t i = 0; i < brief.target.elements(); ++i)
    ASSERT_NEAR(brief.target.as<float>()[i], padded.target.as<float>()[i], 1e-6) << i;
}

TEST(AttentionDropout, HeadsSitesStepsAndSeedsDiffer) {
  Maker maker;
  AttentionArgs args = evenAttention(maker, 1, 50, 60, 0.5);
  auto targetOf = [&](int64_t site, uint32_t step, uint64_t seed) {
    AttentionArgs changed = args;
    changed.target = maker.empty(DType::F32, {50, 8});
    changed.site = site;
    StepScalars scalars = *args.scalars.as<StepScalars>();
    scalars.optimizerStep = step;
    scalars.seed = seed;
    changed.scalars = maker.scalars(scalars);
    fast::run(KernelContext{}, changed);
    const float *out = changed.target.as<float>();
    return std::vector<float>(out, out + 400);
  };
  const std::vector<float> first = targetOf(3, 5, 1);
  EXPECT_EQ(first, targetOf(3, 5, 1));
  EXPECT_NE(first, targetOf(3, 6, 1));
  EXPECT_NE(first, targetOf(3, 5, 2));
  // The second head's site is the next one's first.
  const std::vector<float> next = targetOf(4, 5, 1);
  EXPECT_NE(first, next);
  for (int64_t t = 0; t < 50; ++t)
    EXPECT_EQ(first[static_cast<size_t>(t * 8 + 4)], next[static_cast<size_t>(t * 8)]) << t;
}

// A query whose segment no key has gives zeros and no gradient, and spoils nobody else's.
TEST(AttentionMask, WhoSeesNothingGivesZeros) {
  for (DType f : kComputeDTypes) {
    Maker maker;
    AttentionArgs forward = attention(maker, f, {2, 40, 2, 1, 8, 0, Case::One, 100, Case::ByDistance});
    for (int64_t t : {0, 7, 39, 40, 55})
      forward.segments.as<int32_t>()[t] = 3;
    conform(forward, textOf(f));
    fast::run(KernelContext{}, forward);
    AttentionGradientArgs gradient = gradientOf(maker, forward);
    conform(gradient, textOf(f));
    fast::run(KernelContext{}, gradient);
    for (int64_t t = 0; t < 80; ++t)
      for (int64_t c = 0; c < 16; ++c) {
        const bool nothing = forward.segments.as<int32_t>()[t] == 3;
        EXPECT_EQ(loadElement(forward.target, t * 16 + c) == 0, nothing) << textOf(f) << " " << t;
        EXPECT_EQ(loadElement(gradient.gradQuery, t * 16 + c) == 0, nothing) << textOf(f) << " " << t;
      }
    if (f == DType::BF16)
      onEngines(forward, gradient);
  }
}

// The kernel must not look at what the mask hides, be it infinite.
TEST(AttentionMask, HiddenKeysDoNotMatter) {
  Maker maker;
  Case c{1, 120, 1, 1, 16, 0, Case::One};
  AttentionArgs args = attention(maker, DType::F32, c);
  for (int64_t t = 60; t < 120; ++t)
    args.segments.as<int32_t>()[t] = 1;
  Copy<AttentionArgs> before(args);
  fast::run(KernelContext{}, before.args);
  for (int64_t i = 0; i < 60 * 16; ++i)
    args.key.as<float>()[i] = 1e30f;
  Copy<AttentionArgs> after(args);
  fast::run(KernelContext{}, after.args);
  EXPECT_EQ(std::memcmp(before.args.target.as<float>() + 60 * 16, after.args.target.as<float>() + 60 * 16, 60 * 16 * 4), 0);
}

TEST(AttentionValues, NanReachesTheOutput) {
  Maker maker;
  AttentionArgs args = attention(maker, DType::F32, {1, 20, 1, 1, 8, 0, Case::One});
  args.query.as<float>()[5 * 8] = NAN;
  fast::run(KernelContext{}, args);
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
    fast::run(KernelContext{}, args);
    for (int64_t t = 0; t < kLength; ++t)
      EXPECT_EQ(std::isnan(args.target.as<float>()[t * kHeadDim]), t >= spoiled) << "key " << spoiled << ", query " << t;
  }
}

#ifdef ZP_CONFORM_CUDA
/// Which instructions go to fused kernels: cuDNN's, or the loops that stand for them. Only a GPU without cuDNN has none.
class FusedAttention : public ::testing::Test {
protected:
  void SetUp() override {
    const StatusOr<cuda::Properties> device = cuda::selectDevice(0);
    demand(device.status());
    fused = std::make_unique<cuda::FusedAttention>(*device);
    properties = *device;
    if (!takes(attention(maker, DType::BF16, kPacked)))
      GTEST_SKIP() << fused->notice();
  }
  template <typename Args> bool takes(const Args &args) {
    fused = std::make_unique<cuda::FusedAttention>(properties);
    fused->prepare(args);
    return fused->takes(args);
  }
  /// Not taken, and the line says why.
  template <typename Args> void leaves(const Args &args, const std::string &why) {
    EXPECT_FALSE(takes(args)) << why;
    EXPECT_NE(fused->notice().find(why), std::string::npos) << fused->notice();
  }
  /// Rows whose queries see keys after them too.
  AttentionArgs encoder(DType f, int64_t length) {
    Case rows = kPacked;
    rows.length = length;
    AttentionArgs args = attention(maker, f, rows);
    args.causal = false;
    return args;
  }

  static constexpr Case kPacked{2, 64, 8, 2, 16, 0, Case::Packed};
  Maker maker;
  cuda::Properties properties;
  std::unique_ptr<cuda::FusedAttention> fused;
};

TEST_F(FusedAttention, TakesRowsToThemselves) {
  for (DType f : {DType::BF16, DType::F16}) {
    Case window = kPacked, biased = kPacked;
    window.window = 9;
    biased.bias = Case::ByKey;
    EXPECT_TRUE(takes(attention(maker, f, window)));
    EXPECT_TRUE(takes(attention(maker, f, biased)));
    EXPECT_TRUE(takes(encoder(f, 64)));
    EXPECT_EQ(fused->notice(), "");
    EXPECT_TRUE(takes(gradientOf(maker, attention(maker, f, kPacked))));
    EXPECT_TRUE(takes(gradientOf(maker, encoder(f, 96))));
  }
}

TEST_F(FusedAttention, LeavesWhatIsDefinedOtherwise) {
  Case other = kPacked;
  other.keyLength = 70;
  leaves(attention(maker, DType::BF16, other), "keys of another sequence");
  other.keyLength = other.length; // but with segments of their own
  leaves(attention(maker, DType::BF16, other), "keys of another sequence");
  other = kPacked;
  other.dropout = 0.1;
  leaves(gradientOf(maker, attention(maker, DType::BF16, other)), "dropout of probabilities");
  other = kPacked;
  other.bias = Case::ByDistance;
  leaves(attention(maker, DType::F16, other), "a bias by distance");
  other = kPacked;
  other.headDim = 12;
  leaves(attention(maker, DType::BF16, other), "heads of 12 elements");
  leaves(gradientOf(maker, encoder(DType::BF16, 192)), "rows of 192 that see what comes later");
  AttentionArgs aside = attention(maker, DType::BF16, kPacked);
  aside.value.data = aside.value.as<char>() + 8;
  leaves(aside, "at a multiple of 16 bytes");
}

TEST_F(FusedAttention, SaysNothingOfF32) {
  EXPECT_FALSE(takes(attention(maker, DType::F32, kPacked)));
  EXPECT_EQ(fused->notice(), "");
}

// A gradient is cut as its workspace demands, and what comes out is the same.
TEST_F(FusedAttention, CutsGradients) {
  const AttentionArgs forward = attention(maker, DType::BF16, kPacked);
  reference::run(KernelContext{}, forward);
  AttentionGradientArgs whole = gradientOf(maker, forward);
  Copy<AttentionGradientArgs> expected(whole);
  reference::run(KernelContext{}, expected.args);
  const uint64_t statistics = fusedStatisticsBytes(8, 128, 64);
  // Both rows; one; the heads of one of its two key heads.
  for (const uint64_t room :
       {fusedGradientWorkspaceBytes(2, 8, 2, 64, 16), fusedGradientWorkspaceBytes(1, 8, 2, 64, 16), fusedGradientWorkspaceBytes(1, 4, 1, 64, 16)}) {
    AttentionGradientArgs cut = whole;
    cut.workspace = maker.workspace(statistics + room);
    DeviceOperands<AttentionGradientArgs> device(cut);
    ASSERT_TRUE(takes(device.args)) << fused->notice();
    cuda::Context context = deviceContext();
    context.fusedAttention = fused.get();
    demand(cuda::run(context, device.args));
    demand(cuda::launchError());
    device.fetch();
    EXPECT_LE(relativeError(expected.args.gradQuery, cut.gradQuery), kBf16Tolerance) << room;
    EXPECT_LE(relativeError(expected.args.gradKey, cut.gradKey), kBf16Tolerance) << room;
    EXPECT_LE(relativeError(expected.args.gradValue, cut.gradValue), kBf16Tolerance) << room;
  }
  whole.workspace = maker.workspace(statistics + fusedGradientWorkspaceBytes(1, 4, 1, 64, 16) / 2);
  leaves(whole, "doesn't fit the");
}
#endif

} // namespace
} // namespace zp::rt::test
