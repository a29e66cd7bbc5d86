// Every rule of attention's checks, over rows and over caches, broken one at a time.
#include "runtime/kernels/check.h"

#include "runtime/schema/workspaces.h"
#include "tests/unit/runtime/kernels/refuses.h"

namespace zp::rt::test {
namespace {

constexpr DType kF32 = DType::F32;

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
          {"query is f16", [](auto &x, Maker &) { x.query.dtype = DType::F16; }},
          {"query is f32[6]", [](auto &x, Maker &) { x.query.rank = 1; }},
          {"key is f32[6,5]", [](auto &x, Maker &) { shrink(x.key); }},
          {"value is bf16", [](auto &x, Maker &) { x.value.dtype = DType::BF16; }},
          {"segments is i32[5]", [](auto &x, Maker &) { shrink(x.segments); }},
          {"segments is f32", [](auto &x, Maker &) { x.segments.dtype = kF32; }},
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
                            {"as many places", [](auto &x, Maker &m) { x.cache = m.normal(kF32, {21, 6}); }},
                            {"cache is f32[20,5]", [](auto &x, Maker &) { shrink(x.cache); }},
                            {"cache is bf16", [](auto &x, Maker &) { x.cache.dtype = DType::BF16; }},
                            {"positions is i32[5]", [](auto &x, Maker &) { shrink(x.positions); }},
                            {"source is f16", [](auto &x, Maker &) { x.source.dtype = DType::F16; }},
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
                                {"head_dim", [](auto &x, Maker &m) { x.query = m.empty(kF32, {6, 4 * 257}); }},
                                {"as many places", [](auto &x, Maker &m) { x.key = x.value = m.normal(kF32, {21, 6}); }},
                                {"key is f32[20,5]", [](auto &x, Maker &) { shrink(x.key); }},
                                {"value is f32[10,6]", [](auto &x, Maker &m) { x.value = m.normal(kF32, {10, 6}); }},
                                {"value is bf16", [](auto &x, Maker &) { x.value.dtype = DType::BF16; }},
                                {"positions is f32", [](auto &x, Maker &) { x.positions.dtype = kF32; }},
                                {"target is f32[6,11]", [](auto &x, Maker &) { shrink(x.target); }},
                                {"target overlaps query", [](auto &x, Maker &) { x.target.data = x.query.data; }}});
}

TEST(AttentionCheck, AttentionAndItsGradient) {
  Maker maker;
  AttentionArgs forward;
  forward.query = maker.normal(kF32, {6, 12});
  forward.key = maker.normal(kF32, {6, 6});
  forward.value = maker.normal(kF32, {6, 6});
  forward.segments = maker.integers({6}, 0, 0);
  forward.target = maker.empty(kF32, {6, 12});
  forward.logSumExp = maker.empty(kF32, {4, 6});
  forward.heads = 4;
  forward.kvHeads = 2;
  forward.length = 3;
  forward.scale = 0.5;
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
  gradient.segments = forward.segments;
  gradient.workspace = maker.workspace(attentionGradientWorkspaceBytes(4, 6, 3, kF32));
  gradient.gradQuery = maker.empty(kF32, {6, 12});
  gradient.gradKey = maker.empty(kF32, {6, 6});
  gradient.gradValue = maker.empty(kF32, {6, 6});
  gradient.heads = 4;
  gradient.kvHeads = 2;
  gradient.length = 3;
  gradient.scale = 0.5;
  auto more = attentionRules<AttentionGradientArgs>();
  more.insert(more.end(), {{"grad_out is f32[6,11]", [](auto &x, Maker &) { shrink(x.gradOut); }},
                           {"out is f32[6,11]", [](auto &x, Maker &) { shrink(x.out); }},
                           {"grad_query is f32[6,11]", [](auto &x, Maker &) { shrink(x.gradQuery); }},
                           {"grad_key is f32[6,5]", [](auto &x, Maker &) { shrink(x.gradKey); }},
                           {"grad_value is bf16", [](auto &x, Maker &) { x.gradValue.dtype = DType::BF16; }},
                           {"workspace has", [](auto &x, Maker &) { shrink(x.workspace); }},
                           {"workspace has 0", [](auto &x, Maker &) { x.workspace = {}; }},
                           {"workspace lies", [](auto &x, Maker &) { x.workspace.data = x.workspace.template as<char>() + 8; }},
                           {"grad_key overlaps key", [](auto &x, Maker &) { x.gradKey.data = x.key.data; }}});
  refuses(gradient, maker, more);
}

} // namespace
} // namespace zp::rt::test
