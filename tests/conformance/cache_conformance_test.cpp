#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

struct CacheCase {
  int64_t rows, length, places, heads, kvHeads, headDim, window;
};
void PrintTo(const CacheCase &c, std::ostream *out) {
  *out << c.rows << "x" << c.length << " places " << c.places << " heads " << c.heads << "/" << c.kvHeads << " d " << c.headDim << " window "
       << c.window;
}

/// Each row's tokens come after as many others as it likes; some are padding, some lie beyond the cache.
TensorView positionsOf(Maker &maker, const CacheCase &c) {
  TensorView positions = maker.integers({c.rows * c.length}, 0, static_cast<int>(c.places));
  for (int64_t row = 0; row < c.rows; ++row) {
    int32_t *at = positions.as<int32_t>() + row * c.length;
    for (int64_t i = 0; i < c.length; ++i)
      at[i] = row % 3 == 2 && i % 2 == 1 ? -1 : at[0] + static_cast<int32_t>(i);
  }
  return positions;
}

class Cache : public ::testing::TestWithParam<CacheCase> {};

TEST_P(Cache, AppendsAndAttends) {
  const CacheCase &c = GetParam();
  for (DType f : kComputeDTypes) {
    Maker maker;
    const int64_t tokens = c.rows * c.length;
    AppendCacheArgs append;
    append.source = maker.normal(f, {tokens, c.kvHeads * c.headDim}, 2);
    append.positions = positionsOf(maker, c);
    append.cache = maker.normal(f, {c.rows * c.places, c.kvHeads * c.headDim}, 2);
    append.length = c.length;
    conform(append, textOf(f));
    CachedAttentionArgs args;
    args.query = maker.normal(f, {tokens, c.heads * c.headDim}, 2);
    args.key = append.cache;
    args.value = maker.normal(f, {c.rows * c.places, c.kvHeads * c.headDim});
    args.positions = append.positions;
    args.target = maker.empty(f, {tokens, c.heads * c.headDim});
    args.heads = c.heads;
    args.kvHeads = c.kvHeads;
    args.length = c.length;
    args.window = c.window;
    args.scale = 1 / std::sqrt(static_cast<double>(c.headDim));
    conform(args, textOf(f));
    args.bias = maker.normal(DType::F32, {c.heads, c.places}, 2);
    conform(args, textOf(f) + std::string(", biased by key"));
    args.bias = maker.normal(DType::F32, {c.heads, 2 * c.places - 1}, 2);
    args.biasByDistance = true;
    conform(args, textOf(f) + std::string(", biased by distance"));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Cache,
                         ::testing::Values(CacheCase{1, 1, 1, 1, 1, 1, 0}, CacheCase{2, 1, 7, 2, 1, 3, 0}, CacheCase{3, 5, 70, 4, 2, 20, 0},
                                           CacheCase{4, 1, 300, 6, 3, 64, 0}, CacheCase{3, 16, 130, 3, 3, 24, 9}, CacheCase{1, 2, 65, 1, 1, 256, 0},
                                           CacheCase{2, 33, 200, 4, 1, 16, 64},
                                           // a long cache for few queries, which a GPU cuts; more queries of a head than it takes at once
                                           CacheCase{1, 1, 700, 8, 1, 128, 0}, CacheCase{1, 1, 530, 1, 1, 80, 300},
                                           CacheCase{2, 3, 90, 12, 4, 40, 0}));

// Attention over a cache that was filled token by token is attention over the row.
TEST(CachedAttention, IsAttention) {
  constexpr int64_t kRows = 2, kLength = 75, kHeads = 4, kKvHeads = 2, kHeadDim = 16;
  struct Kind {
    int64_t window;
    bool biased, byDistance;
  };
  for (const Kind &kind : {Kind{0, false, false}, Kind{10, false, false}, Kind{0, true, false}, Kind{10, true, true}}) {
    Maker maker;
    AttentionArgs whole;
    whole.query = maker.normal(DType::F32, {kRows * kLength, kHeads * kHeadDim}, 2);
    whole.key = maker.normal(DType::F32, {kRows * kLength, kKvHeads * kHeadDim}, 2);
    whole.value = maker.normal(DType::F32, {kRows * kLength, kKvHeads * kHeadDim});
    whole.segments = whole.keySegments = maker.integers({kRows * kLength}, 0, 0);
    whole.target = maker.empty(DType::F32, {kRows * kLength, kHeads * kHeadDim});
    whole.logSumExp = maker.empty(DType::F32, {kHeads, kRows * kLength});
    whole.heads = kHeads;
    whole.kvHeads = kKvHeads;
    whole.length = kLength;
    whole.window = kind.window;
    whole.scale = 0.25;
    whole.keyLength = kLength;
    whole.causal = true;
    TensorView bias;
    if (kind.biased)
      bias = maker.normal(DType::F32, {kHeads, kind.byDistance ? 2 * kLength - 1 : kLength});
    whole.biasByDistance = kind.byDistance;
    whole.bias = bias;
    if (kind.biased && !kind.byDistance) { // that of a place in every row
      whole.bias = maker.empty(DType::F32, {kHeads, kRows * kLength});
      for (int64_t i = 0; i < whole.bias.elements(); ++i)
        storeElement(whole.bias, i, loadElement(bias, i / (kRows * kLength) * kLength + i % kLength));
    }
    reference::run(KernelContext{}, whole);
    CachedAttentionArgs args;
    args.query = whole.query;
    args.key = whole.key; // places are tokens
    args.value = whole.value;
    args.positions = maker.integers({kRows * kLength}, 0, 0);
    for (int64_t t = 0; t < kRows * kLength; ++t)
      args.positions.as<int32_t>()[t] = static_cast<int32_t>(t % kLength);
    args.target = maker.empty(DType::F32, {kRows * kLength, kHeads * kHeadDim});
    args.heads = kHeads;
    args.kvHeads = kKvHeads;
    args.length = kLength;
    args.window = kind.window;
    args.scale = 0.25;
    args.bias = bias;
    args.biasByDistance = kind.byDistance;
    fast::run(KernelContext{}, args);
    EXPECT_LE(relativeError(whole.target, args.target), 1e-5) << "window " << kind.window << " bias " << kind.biased << kind.byDistance;
  }
}

TEST(ReorderCache, GivesRowsTheTokensOfOthers) {
  for (DType f : kComputeDTypes)
    for (int64_t rows : {1, 4, 7}) {
      Maker maker;
      ReorderCacheArgs args;
      args.cache = maker.normal(f, {rows * 33, 40});
      args.rows = maker.integers({rows}, 0, static_cast<int>(rows) - 1);
      conform(args, textOf(f));
      for (int64_t row = 0; row < rows; ++row) // each its neighbour's: a cycle
        args.rows.as<int32_t>()[row] = static_cast<int32_t>((row + 1) % rows);
      conform(args, textOf(f));
      args.rows.as<int32_t>()[0] = -1; // none of them: they stay
      args.rows.as<int32_t>()[rows - 1] = static_cast<int32_t>(rows);
      conform(args, textOf(f));
    }
  // More than what is kept of all rows at a time.
  Maker maker;
  ReorderCacheArgs args;
  args.cache = maker.normal(DType::F32, {100 * 3, 2000});
  args.rows = maker.integers({100}, 0, 99);
  conform(args, "large");
}

TEST(CachedAttention, PaddingGivesZerosAndNanItsOwnTokenAlone) {
  Maker maker;
  CachedAttentionArgs args;
  args.query = maker.normal(DType::F32, {3, 8});
  args.key = maker.normal(DType::F32, {6, 8});
  args.value = maker.normal(DType::F32, {6, 8});
  args.positions = maker.integers({3}, 1, 1);
  args.positions.as<int32_t>()[0] = -1;
  args.query.as<float>()[8] = NAN;
  args.target = maker.normal(DType::F32, {3, 8});
  args.heads = args.kvHeads = args.length = 1;
  args.scale = 1;
  ASSERT_TRUE(check(args).ok());
  fast::run(KernelContext{}, args);
  for (int64_t d = 0; d < 8; ++d) {
    EXPECT_EQ(args.target.as<float>()[d], 0);
    EXPECT_TRUE(std::isnan(args.target.as<float>()[8 + d]));
    EXPECT_TRUE(std::isfinite(args.target.as<float>()[16 + d]));
  }
}

} // namespace
} // namespace zp::rt::test
