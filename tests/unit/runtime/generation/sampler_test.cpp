// Distributions are those of the reference's logits processors (transformers 5.23), printed by it.
#include "runtime/generation/sampler.h"

#include <cmath>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

const std::vector<float> kLogits = {0.5f, -1.25f, 2.0f, 2.0f, 0.0f, -3.5f, 1.5f, 0.75f};

GenerationSettings sampling(double temperature, uint64_t topK, double topP) {
  GenerationSettings settings;
  settings.do_sample = true;
  settings.temperature = temperature;
  settings.top_k = topK;
  settings.top_p = topP;
  return settings;
}

struct Case {
  double temperature;
  uint64_t topK;
  double topP;
  std::vector<double> expected;
};

TEST(Sampler, DistributionsAreTheReferences) {
  const Case cases[] = {
      {1.0, 50, 1.0, {0.0677309, 0.0117699, 0.303549, 0.303549, 0.0410809, 0.0012405, 0.1841118, 0.0869682}},
      {0.5, 50, 1.0, {0.01976, 0.0005967, 0.3968904, 0.3968904, 0.0072693, 6.6e-06, 0.1460078, 0.0325788}},
      {2.0, 3, 1.0, {0, 0, 0.3598675, 0.3598675, 0, 0, 0.2802651, 0}},
      {1.0, 2, 1.0, {0, 0, 0.5, 0.5, 0, 0, 0, 0}},
      {1.0, 0, 0.6, {0, 0, 0.5, 0.5, 0, 0, 0, 0}},
      {1.0, 0, 0.05, {0, 0, 0, 1, 0, 0, 0, 0}},
      {1.5, 5, 0.8, {0, 0, 0.3173465, 0.3173465, 0, 0, 0.2273887, 0.1379182}},
  };
  for (const Case &c : cases) {
    const std::vector<double> got = distributionOf(kLogits, sampling(c.temperature, c.topK, c.topP));
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], c.expected[i], 1e-6) << "token " << i << ", temperature " << c.temperature << " top_k " << c.topK << " top_p " << c.topP;
  }
}

TEST(Sampler, WithoutSamplingTheFirstOfTheMostProbable) { EXPECT_EQ(nextToken(kLogits, {}, {}), 2); }

TEST(Sampler, MinPLeavesWhatIsLikelyBesideTheMostProbable) {
  GenerationSettings settings = sampling(1.0, 0, 1.0);
  settings.min_p = 0.25;
  const std::vector<double> got = distributionOf(kLogits, settings), expected = {0, 0, 0.3456577, 0.3456577, 0, 0, 0.209652, 0.0990326};
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], expected[i], 1e-6) << "token " << i;
}

TEST(Sampler, DrawsFollowTheDistributionAndTheirKeyAlone) {
  const GenerationSettings settings = sampling(1.0, 0, 1.0);
  const std::vector<double> expected = distributionOf(kLogits, settings);
  constexpr int kDraws = 20000;
  std::vector<int> counts(kLogits.size());
  for (int i = 0; i < kDraws; ++i) {
    const DrawKey key{7, static_cast<uint32_t>(i % 100), static_cast<uint32_t>(i / 100)};
    const int32_t token = nextToken(kLogits, settings, key);
    ++counts[static_cast<size_t>(token)];
    EXPECT_EQ(nextToken(kLogits, settings, key), token);
  }
  // Five deviations of a binomial count.
  for (size_t i = 0; i < counts.size(); ++i)
    EXPECT_NEAR(counts[i], kDraws * expected[i], 5 * std::sqrt(kDraws * expected[i]) + 1) << "token " << i;
}

TEST(Sampler, AnotherSeedRowOrStepIsAnotherDraw) {
  const GenerationSettings settings = sampling(1.0, 0, 1.0);
  auto text = [&](uint64_t seed, uint32_t row, uint32_t step) {
    std::vector<int32_t> tokens;
    for (uint32_t i = 0; i < 20; ++i)
      tokens.push_back(nextToken(kLogits, settings, {seed, row, step + i}));
    return tokens;
  };
  EXPECT_NE(text(1, 0, 0), text(2, 0, 0));
  EXPECT_NE(text(1, 0, 0), text(uint64_t{1} << 40, 0, 0));
  EXPECT_NE(text(1, 0, 0), text(1, 1, 0));
  EXPECT_NE(text(1, 0, 0), text(1, 0, 1));
}

} // namespace
} // namespace zp::rt
