// Biases that come of positions: T5's and ALiBi's, against the kernels' oracles and against transformers (position_bias/generate.py).
#include "tests/conformance/position_bias/golden.inc"
#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

RelativeBiasArgs relativeBias(Maker &maker, DType f, int64_t buckets, int64_t heads, int64_t length, int64_t keyLength, int64_t maxDistance,
                              bool bidirectional) {
  RelativeBiasArgs args;
  args.table = maker.normal(f, {buckets, heads});
  args.length = length;
  args.keyLength = keyLength;
  args.maxDistance = maxDistance;
  args.bidirectional = bidirectional;
  args.target = maker.empty(DType::F32, {heads, length + keyLength - 1});
  return args;
}

TEST(RelativeBias, ForwardAndGradient) {
  for (DType f : kComputeDTypes)
    for (bool bidirectional : {true, false})
      for (auto [length, keyLength] : {std::pair<int64_t, int64_t>{1, 1}, {20, 1}, {1, 300}, {513, 700}}) {
        Maker maker;
        RelativeBiasArgs args = relativeBias(maker, f, 32, 6, length, keyLength, 128, bidirectional);
        conform(args, textOf(f));
        RelativeBiasGradientArgs gradient;
        gradient.gradOut = maker.normal(DType::F32, {6, length + keyLength - 1});
        gradient.gradTable = maker.normal(DType::F32, {32, 6});
        gradient.length = length;
        gradient.keyLength = keyLength;
        gradient.maxDistance = 128;
        gradient.bidirectional = bidirectional;
        conform(gradient);
      }
}

TEST(RelativeBias, BucketsAreTheReferences) {
  struct Golden {
    int64_t buckets, maxDistance;
    bool bidirectional;
    const int *values;
  };
  for (const Golden &golden : {Golden{32, 128, true, kBuckets32Both}, Golden{32, 128, false, kBuckets32Back}, Golden{8, 20, true, kBuckets8Both},
                               Golden{7, 50, false, kBuckets7Back}, Golden{2, 2, false, kBuckets2Back}}) {
    Maker maker;
    RelativeBiasArgs args = relativeBias(maker, DType::F32, golden.buckets, 1, kReach + 1, kReach + 1, golden.maxDistance, golden.bidirectional);
    for (int64_t bucket = 0; bucket < golden.buckets; ++bucket)
      args.table.as<float>()[bucket] = static_cast<float>(bucket);
    ASSERT_TRUE(check(args).ok()) << check(args).message();
    fast::run(KernelContext{}, args);
    for (int64_t e = 0; e < 2 * kReach + 1; ++e)
      EXPECT_EQ(args.target.as<float>()[e], static_cast<float>(golden.values[e])) << golden.buckets << " buckets, distance " << e - kReach;
  }
}

TEST(AlibiTable, WithAndWithoutPositions) {
  for (bool roundBf16 : {true, false}) {
    Maker maker;
    AlibiTableArgs args;
    args.slopes = kSlopes;
    args.target = maker.empty(DType::F32, {12, 400});
    args.scale = 0.3;
    args.roundBf16 = roundBf16;
    conform(args, "places");
    args.positions = maker.integers({400}, -1, 5000);
    conform(args, "positions");
  }
}

TEST(AlibiTable, IsTheReferences) {
  const int64_t count = std::size(kPositions);
  for (bool falcon : {false, true}) {
    Maker maker;
    AlibiTableArgs args;
    args.slopes = kSlopes;
    args.positions = maker.integers({count}, 0, 0);
    std::copy(std::begin(kPositions), std::end(kPositions), args.positions.as<int32_t>());
    args.target = maker.empty(DType::F32, {12, count});
    args.scale = 1;
    args.roundBf16 = falcon;
    ASSERT_TRUE(check(args).ok()) << check(args).message();
    fast::run(KernelContext{}, args);
    for (int64_t i = 0; i < 12 * count; ++i)
      EXPECT_EQ(args.target.as<float>()[i], (falcon ? kFalcon : kBloom)[i]) << "head " << i / count << ", position " << kPositions[i % count];
  }
}

} // namespace
} // namespace zp::rt::test
