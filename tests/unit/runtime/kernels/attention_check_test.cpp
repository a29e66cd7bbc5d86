// Every rule of attention's checks, over rows and over caches, broken one at a time.
#include "runtime/kernels/check.h"

#include "runtime/schema/limits.h"
#include "runtime/schema/workspaces.h"
#include "tests/unit/runtime/kernels/refuses.h"

namespace zp::rt::test {
namespace {

/// Five keys a row for three queries.
template <typename Args> void across(Args &args, Maker &maker) {
  args.key = args.value = maker.normal(kF32, {10, 6});
  args.keySegments = maker.integers({10}, 0, 0);
  args.keyLength = 5;
}

template <typename Args> std::vector<Broken<Args>> attentionRules() {
  return {{"heads", [](auto &x, Maker &) { x.heads = 0; }},
          {"heads", [](auto &x, Maker &) { x.heads = INT64_MAX; }},
          {"width that heads divides", [](auto &x, Maker &) { x.heads = 5; }},
          {"kv_heads", [](auto &x, Maker &) { x.kvHeads = 0; }},
          {"kv_heads", [](auto &x, Maker &) { x.kvHeads = 3; }},
          {"kv_heads", [](auto &x, Maker &) { x.kvHeads = 8; }},
          {"length", [](auto &x, Maker &) { x.length = 0; }},
          {"whole rows", [](auto &x, Maker &) { x.length = 4; }},
          {"window", [](auto &x, Maker &) { x.window = -1; }},
          {"scale", [](auto &x, Maker &) { x.scale = NAN; }},
          {"head_dim",
           [](auto &x, Maker &m) {
             x.query = m.empty(kF32, {6, 4 * 257});
           }},
          {"query is f64", [](auto &x, Maker &) { x.query.dtype = DType::F64; }},
          {"query is f32[6]", [](auto &x, Maker &) { x.query.rank = 1; }},
          {"key is f32[6,5]", [](auto &x, Maker &) { shrink(x.key); }},
          {"value is bf16", [](auto &x, Maker &) { x.value.dtype = DType::BF16; }},
          {"segments is i32[5]", [](auto &x, Maker &) { shrink(x.segments); }},
          {"segments is f32", [](auto &x, Maker &) { x.segments.dtype = kF32; }},
          {"key_segments is i32[5]", [](auto &x, Maker &) { shrink(x.keySegments); }},
          {"key_length", [](auto &x, Maker &) { x.keyLength = 0; }},
          {"key_length", [](auto &x, Maker &) { x.keyLength = INT64_MAX; }},
          {"rows of key_length", [](auto &x, Maker &) { x.keyLength = 4; }},
          {"rows of key_length", [](auto &x, Maker &) { x.keyLength = 2; }},
          {"length, when causal", [](auto &x, Maker &m) { across(x, m), x.causal = true; }},
          {"0, when not causal", [](auto &x, Maker &) { x.causal = false, x.window = 2; }},
          {"bias is f32[4,5]",
           [](auto &x, Maker &m) {
             x.bias = m.normal(kF32, {4, 5});
           }},
          {"bias is f32[4,6]",
           [](auto &x, Maker &m) {
             x.bias = m.normal(kF32, {4, 6}), x.biasByDistance = true;
           }},
          {"bias is bf16",
           [](auto &x, Maker &m) {
             x.bias = m.normal(DType::BF16, {4, 6});
           }},
          {"without scalars", [](auto &x, Maker &) { x.dropout = 0.1; }},
          {"dropout is 0.000000 with scalars", [](auto &x, Maker &m) { x.scalars = m.scalars({}); }},
          {"dropout is 1.000000", [](auto &x, Maker &m) { x.scalars = m.scalars({}), x.dropout = 1; }},
          {"dropout is -", [](auto &x, Maker &m) { x.scalars = m.scalars({}), x.dropout = -0.1; }},
          {"dropout is nan", [](auto &x, Maker &m) { x.scalars = m.scalars({}), x.dropout = NAN; }},
          {"scalars is u8[63]",
           [](auto &x, Maker &m) {
             x.scalars = m.scalars({}), x.dropout = 0.1;
             shrink(x.scalars);
           }},
          {"site", [](auto &x, Maker &m) { x.scalars = m.scalars({}), x.dropout = 0.1, x.site = -1; }},
          {"site", [](auto &x, Maker &m) { x.scalars = m.scalars({}), x.dropout = 0.1, x.site = int64_t{UINT32_MAX} - 2; }},
          {"log_sum_exp is f32[4,5]", [](auto &x, Maker &) { shrink(x.logSumExp); }}};
}

TEST(AttentionCheck, CachesAndAttentionOverThem) {
  Maker maker;
  AppendCacheArgs append;
  append.source = maker.normal(kF32, {6, 6});
  append.positions = maker.integers({6}, 0, 9);
  append.cache = maker.normal(kF32, {20, 6});
  append.length = 3;
  refuses<AppendCacheArgs>(append, maker,
                           {{"length", [](auto &x, Maker &) { x.length = 0; }},
                            {"length", [](auto &x, Maker &) { x.length = 7; }},
                            {"whole rows", [](auto &x, Maker &) { x.length = 4; }},
                            {"as many places",
                             [](auto &x, Maker &m) {
                               x.cache = m.normal(kF32, {21, 6});
                             }},
                            {"cache is f32[20,5]", [](auto &x, Maker &) { shrink(x.cache); }},
                            {"cache is bf16", [](auto &x, Maker &) { x.cache.dtype = DType::BF16; }},
                            {"positions is i32[5]", [](auto &x, Maker &) { shrink(x.positions); }},
                            {"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                            {"cache overlaps source", [](auto &x, Maker &) { x.cache.data = x.source.data; }}});
  CachedAttentionArgs attention;
  attention.query = maker.normal(kF32, {6, 12});
  attention.key = append.cache;
  attention.value = maker.normal(kF32, {20, 6});
  attention.positions = append.positions;
  attention.target = maker.empty(kF32, {6, 12});
  attention.heads = 4;
  attention.kvHeads = 2;
  attention.length = 3;
  attention.scale = 0.5;
  refuses<CachedAttentionArgs>(attention, maker,
                               {{"heads", [](auto &x, Maker &) { x.heads = 0; }},
                                {"width that heads divides", [](auto &x, Maker &) { x.heads = 5; }},
                                {"kv_heads", [](auto &x, Maker &) { x.kvHeads = 3; }},
                                {"whole rows", [](auto &x, Maker &) { x.length = 4; }},
                                {"window", [](auto &x, Maker &) { x.window = -1; }},
                                {"scale", [](auto &x, Maker &) { x.scale = NAN; }},
                                {"head_dim",
                                 [](auto &x, Maker &m) {
                                   x.query = m.empty(kF32, {6, 4 * 257});
                                 }},
                                {"as many places",
                                 [](auto &x, Maker &m) {
                                   x.key = x.value = m.normal(kF32, {21, 6});
                                 }},
                                {"key is f32[20,5]", [](auto &x, Maker &) { shrink(x.key); }},
                                {"value is f32[10,6]",
                                 [](auto &x, Maker &m) {
                                   x.value = m.normal(kF32, {10, 6});
                                 }},
                                {"value is bf16", [](auto &x, Maker &) { x.value.dtype = DType::BF16; }},
                                {"positions is f32", [](auto &x, Maker &) { x.positions.dtype = kF32; }},
                                {"target is f32[6,11]", [](auto &x, Maker &) { shrink(x.target); }},
                                {"bias is f32[4,9]",
                                 [](auto &x, Maker &m) {
                                   x.bias = m.normal(kF32, {4, 9});
                                 }},
                                {"bias is f32[4,10]",
                                 [](auto &x, Maker &m) {
                                   x.bias = m.normal(kF32, {4, 10}), x.biasByDistance = true;
                                 }},
                                {"bias is bf16",
                                 [](auto &x, Maker &m) {
                                   x.bias = m.normal(DType::BF16, {4, 10});
                                 }},
                                {"target overlaps query", [](auto &x, Maker &) { x.target.data = x.query.data; }}});
  ReorderCacheArgs reorder;
  reorder.rows = maker.integers({2}, 0, 1);
  reorder.cache = append.cache;
  refuses<ReorderCacheArgs>(reorder, maker,
                            {{"rows is f32", [](auto &x, Maker &) { x.rows.dtype = kF32; }},
                             {"rows is 4097", [](auto &x, Maker &m) { x.rows = m.integers({4097}, 0, 0); }},
                             {"as many places", [](auto &x, Maker &m) { x.rows = m.integers({3}, 0, 0); }},
                             {"cache is f64", [](auto &x, Maker &) { x.cache.dtype = DType::F64; }},
                             {"cache is f32[20]", [](auto &x, Maker &) { x.cache.rank = 1; }},
                             {"cache overlaps rows", [](auto &x, Maker &) { x.rows.data = x.cache.data; }}});
}

TEST(AttentionCheck, BiasesOfPositions) {
  Maker maker;
  RelativeBiasArgs forward;
  forward.table = maker.normal(kF32, {8, 3});
  forward.length = 4;
  forward.keyLength = 6;
  forward.maxDistance = 20;
  forward.bidirectional = true;
  forward.target = maker.empty(kF32, {3, 9});
  refuses<RelativeBiasArgs>(forward, maker,
                            {{"7 buckets",
                              [](auto &x, Maker &m) {
                                x.table = m.normal(kF32, {7, 3});
                              }},
                             {"2 buckets",
                              [](auto &x, Maker &m) {
                                x.table = m.normal(kF32, {2, 3});
                              }},
                             {"1 buckets",
                              [](auto &x, Maker &m) {
                                x.table = m.normal(kF32, {1, 3}), x.bidirectional = false;
                              }},
                             {"max_distance", [](auto &x, Maker &) { x.maxDistance = 2; }},
                             {"length", [](auto &x, Maker &) { x.length = 0; }},
                             {"key_length", [](auto &x, Maker &) { x.keyLength = INT64_MAX; }},
                             {"target is f32[3,9]", [](auto &x, Maker &) { x.length = 5; }},
                             {"target is f32[3,9]",
                              [](auto &x, Maker &m) {
                                x.table = m.normal(kF32, {8, 4});
                              }},
                             {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                             {"table is f64", [](auto &x, Maker &) { x.table.dtype = DType::F64; }},
                             {"table is f32[8]", [](auto &x, Maker &) { x.table.rank = 1; }}});
  RelativeBiasGradientArgs gradient;
  gradient.gradOut = forward.target;
  gradient.gradTable = maker.empty(kF32, {8, 3});
  gradient.length = 4;
  gradient.keyLength = 6;
  gradient.maxDistance = 20;
  gradient.bidirectional = true;
  refuses<RelativeBiasGradientArgs>(gradient, maker,
                                    {{"max_distance", [](auto &x, Maker &) { x.maxDistance = 1; }},
                                     {"grad_out is f32[3,9]", [](auto &x, Maker &) { x.keyLength = 5; }},
                                     {"grad_table is bf16", [](auto &x, Maker &) { x.gradTable.dtype = DType::BF16; }}});
  const float slopes[] = {0.5f, 0.25f};
  static const float broken[] = {0.5f, INFINITY};
  AlibiTableArgs alibi;
  alibi.positions = maker.integers({5}, 0, 9);
  alibi.target = maker.empty(kF32, {2, 5});
  alibi.slopes = slopes;
  alibi.scale = 1;
  refuses<AlibiTableArgs>(alibi, maker,
                          {{"slopes", [](auto &x, Maker &) { x.slopes = broken; }},
                           {"target is f32[2,5]", [](auto &x, Maker &) { x.slopes = x.slopes.first(1); }},
                           {"target is f32[2,4]", [](auto &x, Maker &) { shrink(x.target); }},
                           {"scale", [](auto &x, Maker &) { x.scale = NAN; }},
                           {"positions is f32", [](auto &x, Maker &) { x.positions.dtype = kF32; }},
                           {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }}});
}

TEST(AttentionCheck, AttentionAndItsGradient) {
  Maker maker;
  AttentionArgs forward;
  forward.query = maker.normal(kF32, {6, 12});
  forward.key = maker.normal(kF32, {6, 6});
  forward.value = maker.normal(kF32, {6, 6});
  forward.segments = forward.keySegments = maker.integers({6}, 0, 0);
  forward.target = maker.empty(kF32, {6, 12});
  forward.logSumExp = maker.empty(kF32, {4, 6});
  forward.heads = 4;
  forward.kvHeads = 2;
  forward.length = forward.keyLength = 3;
  forward.causal = true;
  forward.scale = 0.5;
  AttentionArgs other = forward;
  across(other, maker);
  other.causal = false;
  other.bias = maker.normal(kF32, {4, 7});
  other.biasByDistance = true;
  EXPECT_TRUE(check(other).ok()) << check(other).message();
  AttentionArgs dropped = forward;
  dropped.scalars = maker.scalars({});
  dropped.dropout = 0.1;
  dropped.site = int64_t{UINT32_MAX} - 3; // a site for each of four heads
  EXPECT_TRUE(check(dropped).ok()) << check(dropped).message();
  // More places than the counter has.
  AttentionArgs endless = dropped;
  constexpr int64_t kPlaces = kMaxDropoutPlaces + 1;
  endless.query = endless.key = endless.value = maker.empty(kF32, {kPlaces, 1});
  endless.target = maker.empty(kF32, {kPlaces, 1});
  endless.segments = endless.keySegments = maker.empty(DType::I32, {kPlaces});
  endless.logSumExp = maker.empty(kF32, {1, kPlaces});
  endless.heads = endless.kvHeads = 1;
  endless.length = endless.keyLength = kPlaces;
  EXPECT_NE(check(endless).message().find("at most 131072 with dropout"), std::string::npos) << check(endless).message();
  auto rules = attentionRules<AttentionArgs>();
  rules.push_back({"target is f32[6,11]", [](auto &x, Maker &) { shrink(x.target); }});
  rules.push_back({"target overlaps query", [](auto &x, Maker &) { x.target.data = x.query.data; }});
  refuses(forward, maker, rules);

  AttentionGradientArgs gradient;
  gradient.gradOut = maker.normal(kF32, {6, 12});
  gradient.query = forward.query;
  gradient.key = forward.key;
  gradient.value = forward.value;
  gradient.out = forward.target;
  gradient.logSumExp = forward.logSumExp;
  gradient.segments = gradient.keySegments = forward.segments;
  gradient.workspace = maker.workspace(attentionGradientWorkspaceBytes(4, 6, 3, kF32));
  gradient.gradQuery = maker.empty(kF32, {6, 12});
  gradient.gradKey = maker.empty(kF32, {6, 6});
  gradient.gradValue = maker.empty(kF32, {6, 6});
  gradient.heads = 4;
  gradient.kvHeads = 2;
  gradient.length = gradient.keyLength = 3;
  gradient.causal = true;
  gradient.scale = 0.5;
  auto more = attentionRules<AttentionGradientArgs>();
  more.insert(more.end(), {{"grad_out is f32[6,11]", [](auto &x, Maker &) { shrink(x.gradOut); }},
                           {"out is f32[6,11]", [](auto &x, Maker &) { shrink(x.out); }},
                           {"grad_query is f32[6,11]", [](auto &x, Maker &) { shrink(x.gradQuery); }},
                           {"grad_key is f32[6,5]", [](auto &x, Maker &) { shrink(x.gradKey); }},
                           {"grad_value is bf16", [](auto &x, Maker &) { x.gradValue.dtype = DType::BF16; }},
                           {"grad_bias is f32[4,5]",
                            [](auto &x, Maker &m) {
                              x.gradBias = m.normal(kF32, {4, 5});
                            }},
                           {"grad_bias is f32[4,6]",
                            [](auto &x, Maker &m) {
                              x.bias = m.normal(kF32, {4, 6}), x.gradBias = m.normal(kF32, {4, 6});
                            }},
                           {"grad_bias is f32[4,6]",
                            [](auto &x, Maker &m) {
                              x.bias = m.normal(kF32, {4, 5}), x.gradBias = m.normal(kF32, {4, 6}), x.biasByDistance = true;
                            }},
                           {"workspace has", [](auto &x, Maker &) { shrink(x.workspace); }},
                           {"workspace has 0", [](auto &x, Maker &) { x.workspace = {}; }},
                           {"workspace lies", [](auto &x, Maker &) { x.workspace.data = x.workspace.template as<char>() + 8; }},
                           {"grad_key overlaps key", [](auto &x, Maker &) { x.gradKey.data = x.key.data; }}});
  refuses(gradient, maker, more);
}

// What is placed beyond the demand: an element a score of a part, 512 tiles of 128 keys where that fits.
TEST(AttentionGradientPlaced, keepsADeviceBusy) {
  constexpr uint64_t kMost = 640u << 20, kScores = 2048 * 2048 * 2;
  auto placed = [](uint64_t heads, uint64_t kvHeads, uint64_t rows, uint64_t length) {
    return attentionGradientPlacedBytes(heads, kvHeads, rows * length, length, 128, DType::BF16, kMost);
  };
  EXPECT_EQ(placed(32, 32, 4, 2048), 32 * 4 * 2048 * 4 + 32 * (kScores + 2048 * 4) + 256) << "Llama-2-7B: a row";
  EXPECT_EQ(placed(32, 8, 4, 2048), 32 * 4 * 2048 * 4 + 32 * (kScores + 2048 * 4 + 2048 * 128 * 4) + 256) << "gradients of keys a head, too";
  EXPECT_EQ(placed(64, 8, 4, 2048), 64 * 4 * 2048 * 4 + 32 * (kScores + 2048 * 4 + 2048 * 128 * 4) + 256) << "70B: half a row";
  EXPECT_EQ(placed(8, 8, 1, 2048), 8 * (kScores + 2048 * 4) + 256) << "128 tiles in all";
  EXPECT_EQ(placed(32, 32, 1, 16384), 16384ull * 16384 * 2 + 16384 * 4 + 256) << "one head fits";
  EXPECT_EQ(placed(32, 32, 1, 32768), attentionGradientWorkspaceBytes(32, 32768, 128, DType::BF16)) << "none does";
  EXPECT_EQ(attentionGradientPlacedBytes(32, 32, 8192, 2048, 128, DType::F32, kMost), attentionGradientWorkspaceBytes(32, 8192, 128, DType::F32));
}

// The sequence that the compiler places for and the runtime tries: whole rows first, then heads of one.
TEST(AttentionGradientPlaced, partsDivideTheWhole) {
  std::vector<std::pair<uint64_t, uint64_t>> parts;
  const FusedPart whole{6, 4};
  for (FusedPart part = whole; part; part = nextPart(whole, part))
    parts.emplace_back(part.rows, part.kvHeads);
  EXPECT_EQ(parts, (std::vector<std::pair<uint64_t, uint64_t>>{{6, 4}, {3, 4}, {2, 4}, {1, 4}, {1, 2}, {1, 1}}));
}

} // namespace
} // namespace zp::rt::test
