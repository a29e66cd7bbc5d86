// Every rule of every check, broken one at a time: valid arguments pass, each change is refused with a message that names what.
#include "runtime/kernels/check.h"

#include "runtime/schema/workspaces.h"
#include "tests/unit/runtime/kernels/refuses.h"

namespace zp::rt::test {
namespace {

// The rules that all ops share, shown on add.
TEST(Check, CommonRules) {
  Maker maker;
  AddArgs valid;
  valid.a = maker.normal(kF32, {4, 6});
  valid.b = maker.normal(kF32, {4, 6});
  valid.target = maker.empty(kF32, {4, 6});
  refuses<AddArgs>(valid, maker,
                   {{"a is absent", [](auto &x, Maker &) { x.a.data = nullptr; }},
                    {"target is absent", [](auto &x, Maker &) { x.target.data = nullptr; }},
                    {"rank 0", [](auto &x, Maker &) { x.a.rank = 0; }},
                    {"rank 5", [](auto &x, Maker &) { x.a.rank = 5; }},
                    {"positive dims", [](auto &x, Maker &) { x.a.dims[1] = 0; }},
                    {"positive dims", [](auto &x, Maker &) { x.b.dims[0] = -4; }},
                    {"2^60", [](auto &x, Maker &) { x.a.dims[0] = INT64_MAX; }},
                    {"2^60",
                     [](auto &x, Maker &) {
                       x.a.dims = {1 << 30, 1 << 30, 1 << 30, 1 << 30}, x.a.rank = 4;
                     }},
                    {"dtype 9", [](auto &x, Maker &) { x.a.dtype = static_cast<DType>(9); }},
                    {"address", [](auto &x, Maker &) { x.a.data = x.a.template as<char>() + 2; }},
                    {"overlaps a", [](auto &x, Maker &) { x.target.data = x.a.template as<float>() + 1; }},
                    {"a is f64", [](auto &x, Maker &) { x.a.dtype = DType::F64; }},
                    {"b is bf16", [](auto &x, Maker &) { x.b.dtype = DType::BF16; }},
                    {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                    {"b is f32[4,5]", [](auto &x, Maker &) { shrink(x.b); }},
                    {"target is f32[4,5]", [](auto &x, Maker &) { shrink(x.target); }}});
}

TEST(Check, FillCastAccumulateScale) {
  Maker maker;
  FillArgs fill;
  fill.target = maker.empty(DType::U8, {8});
  refuses<FillArgs>(fill, maker,
                    {{"value", [](auto &x, Maker &) { x.value = NAN; }},
                     {"u8", [](auto &x, Maker &) { x.value = 256; }},
                     {"u8", [](auto &x, Maker &) { x.value = 0.5; }},
                     {"i32", [](auto &x, Maker &) { x.target.dtype = DType::I32, x.target.dims[0] = 2, x.value = 3e9; }},
                     {"i64", [](auto &x, Maker &) { x.target.dtype = DType::I64, x.target.dims[0] = 1, x.value = 1e300; }}});
  CastArgs cast;
  cast.source = maker.normal(kF32, {8});
  cast.target = maker.empty(DType::BF16, {8});
  refuses<CastArgs>(cast, maker,
                    {{"source is i32", [](auto &x, Maker &) { x.source.dtype = DType::I32; }},
                     {"target is i32", [](auto &x, Maker &m) { x.target = m.integers({8}, 0, 1); }},
                     {"target is bf16[7]", [](auto &x, Maker &) { shrink(x.target); }},
                     {"overlaps", [](auto &x, Maker &) { x.target.data = x.source.data; }}});
  AccumulateArgs accumulate;
  accumulate.source = maker.normal(kF32, {8});
  accumulate.target = maker.normal(kF32, {8});
  refuses<AccumulateArgs>(accumulate, maker,
                          {{"source is i32", [](auto &x, Maker &) { x.source.dtype = DType::I32; }},
                           {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                           {"target is f32[7]", [](auto &x, Maker &) { shrink(x.target); }},
                           {"scale", [](auto &x, Maker &) { x.scale = INFINITY; }},
                           {"overlaps", [](auto &x, Maker &) { x.source.data = x.target.data; }}});
  ScaleArgs scale;
  scale.source = maker.normal(kF32, {8});
  scale.target = scale.source;
  refuses<ScaleArgs>(scale, maker,
                     {{"source is u8", [](auto &x, Maker &m) { x.source = m.workspace(8); }},
                      {"target is bf16", [](auto &x, Maker &m) { x.target = m.empty(DType::BF16, {8}); }},
                      {"target is f32[7]", [](auto &x, Maker &m) { x.target = m.empty(kF32, {7}); }},
                      {"factor", [](auto &x, Maker &) { x.factor = NAN; }},
                      {"very same memory", [](auto &x, Maker &) { shrink(x.target); }}});
}

TEST(Check, Dropout) {
  Maker maker;
  DropoutArgs valid;
  valid.source = maker.normal(kF32, {6, 4});
  valid.target = maker.empty(kF32, {6, 4});
  valid.scalars = maker.scalars(StepScalars{});
  valid.probability = 0.1;
  valid.length = 3;
  refuses<DropoutArgs>(valid, maker,
                       {{"probability", [](auto &x, Maker &) { x.probability = 1; }},
                        {"probability", [](auto &x, Maker &) { x.probability = -0.1; }},
                        {"probability", [](auto &x, Maker &) { x.probability = NAN; }},
                        {"site", [](auto &x, Maker &) { x.site = int64_t{1} << 32; }},
                        {"site", [](auto &x, Maker &) { x.site = -1; }},
                        {"length", [](auto &x, Maker &) { x.length = 0; }},
                        {"length", [](auto &x, Maker &) { x.length = 7; }},
                        {"whole rows", [](auto &x, Maker &) { x.length = 4; }},
                        {"source is f32[24]", [](auto &x, Maker &) { x.source.rank = 1, x.source.dims[0] = 24; }},
                        {"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                        {"target is f32[6,3]", [](auto &x, Maker &) { shrink(x.target); }},
                        {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                        {"scalars is u8[63]", [](auto &x, Maker &) { shrink(x.scalars); }},
                        {"scalars lies", [](auto &x, Maker &) { x.scalars.data = x.scalars.template as<char>() + 4; }},
                        {"2^34", [](auto &x, Maker &) {
                           x.source.dims = x.target.dims = {int64_t{1} << 30, 32};
                           x.target.data = x.source.data;
                           x.scalars.data = reinterpret_cast<void *>(uintptr_t{64}); // far from the huge operands
                           x.length = int64_t{1} << 30;
                         }}});
}

TEST(Check, RowsAndEmbeddings) {
  Maker maker;
  CopyRowsArgs rows;
  rows.source = maker.normal(kF32, {6, 4});
  rows.scalars = maker.scalars(StepScalars{});
  rows.target = maker.empty(kF32, {2, 4});
  refuses<CopyRowsArgs>(rows, maker,
                        {{"target is f32[2,3]", [](auto &x, Maker &) { shrink(x.target); }},
                         {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                         {"source is f32[6]", [](auto &x, Maker &) { x.source.rank = 1; }},
                         {"scalars is u8[63]", [](auto &x, Maker &) { shrink(x.scalars); }}});
  EmbeddingArgs embedding;
  embedding.table = maker.normal(kF32, {10, 4});
  embedding.ids = maker.integers({6}, 0, 9);
  embedding.target = maker.empty(kF32, {6, 4});
  refuses<EmbeddingArgs>(embedding, maker,
                         {{"table is f64", [](auto &x, Maker &) { x.table.dtype = DType::F64; }},
                          {"table is f32[10]", [](auto &x, Maker &) { x.table.rank = 1; }},
                          {"ids is f32", [](auto &x, Maker &) { x.ids.dtype = kF32; }},
                          {"target is f32[6,3]", [](auto &x, Maker &) { shrink(x.target); }},
                          {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                          {"offset is -1", [](auto &x, Maker &) { x.offset = -1; }},
                          {"offset is 10", [](auto &x, Maker &) { x.offset = 10; }}});
  EmbeddingGradientArgs gradient;
  gradient.padding = -1;
  gradient.ids = embedding.ids;
  gradient.gradOut = maker.normal(kF32, {6, 4});
  gradient.gradTable = maker.normal(kF32, {10, 4});
  refuses<EmbeddingGradientArgs>(gradient, maker,
                                 {{"ids is f32", [](auto &x, Maker &) { x.ids.dtype = kF32; }},
                                  {"offset is -1", [](auto &x, Maker &) { x.offset = -1; }},
                                  {"offset is 10", [](auto &x, Maker &) { x.offset = 10; }},
                                  {"padding is -2", [](auto &x, Maker &) { x.padding = -2; }},
                                  {"padding is 8", [](auto &x, Maker &) { x.offset = 2, x.padding = 8; }},
                                  {"grad_out is f64", [](auto &x, Maker &) { x.gradOut.dtype = DType::F64; }},
                                  {"grad_out is f32[6,3]", [](auto &x, Maker &) { shrink(x.gradOut); }},
                                  {"grad_table is bf16", [](auto &x, Maker &) { x.gradTable.dtype = DType::BF16; }},
                                  {"grad_table is f32[10]", [](auto &x, Maker &) { x.gradTable.rank = 1; }}});
}

TEST(Check, MatmulAndColumnSum) {
  Maker maker;
  MatmulArgs valid;
  valid.a = maker.normal(kF32, {4, 6});
  valid.b = maker.normal(kF32, {6, 5});
  valid.bias = maker.normal(kF32, {5});
  valid.target = maker.empty(kF32, {4, 5});
  valid.alpha = 1;
  refuses<MatmulArgs>(valid, maker,
                      {{"a is f64", [](auto &x, Maker &) { x.a.dtype = DType::F64; }},
                       {"a is f32[4]", [](auto &x, Maker &) { x.a.rank = 1; }},
                       {"b is bf16", [](auto &x, Maker &) { x.b.dtype = DType::BF16; }},
                       {"b is f32[6]", [](auto &x, Maker &) { x.b.rank = 1; }},
                       {"b is f32[6,5]", [](auto &x, Maker &) { shrink(x.a); }},
                       {"b is f32[6,5]", [](auto &x, Maker &) { x.transposeA = true; }},
                       {"b is f32[6,5]", [](auto &x, Maker &) { x.transposeB = true; }},
                       {"bias is f32[4]", [](auto &x, Maker &) { shrink(x.bias); }},
                       {"bias is bf16", [](auto &x, Maker &) { x.bias.dtype = DType::BF16; }},
                       {"target is f32[4,4]", [](auto &x, Maker &) { shrink(x.target); }},
                       {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                       {"workspace is f32", [](auto &x, Maker &m) { x.workspace = m.empty(kF32, {1}); }},
                       {"alpha", [](auto &x, Maker &) { x.alpha = NAN; }},
                       {"target overlaps b", [](auto &x, Maker &) { x.target.data = x.b.data; }}});
  refusesBranches(valid, maker, {3, 5}, "3,5");
  ColumnSumArgs sum;
  sum.source = maker.normal(kF32, {4, 6});
  sum.target = maker.normal(kF32, {6});
  refuses<ColumnSumArgs>(sum, maker,
                         {{"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                          {"source is f32[4]", [](auto &x, Maker &) { x.source.rank = 1; }},
                          {"target is f32[5]", [](auto &x, Maker &) { shrink(x.target); }},
                          {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }}});
}

TEST(Check, RmsNormAndItsGradient) {
  Maker maker;
  RmsNormArgs norm;
  norm.source = maker.normal(kF32, {4, 6});
  norm.weight = maker.normal(kF32, {6});
  norm.target = maker.empty(kF32, {4, 6});
  norm.rstd = maker.empty(kF32, {4});
  refuses<RmsNormArgs>(norm, maker,
                       {{"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                        {"source is f32[4]", [](auto &x, Maker &) { x.source.rank = 1; }},
                        {"weight is f32[5]", [](auto &x, Maker &) { shrink(x.weight); }},
                        {"weight is bf16", [](auto &x, Maker &) { x.weight.dtype = DType::BF16; }},
                        {"target is f32[4,5]", [](auto &x, Maker &) { shrink(x.target); }},
                        {"rstd is f32[3]", [](auto &x, Maker &) { shrink(x.rstd); }},
                        {"rstd is bf16", [](auto &x, Maker &) { x.rstd.dtype = DType::BF16; }},
                        {"epsilon", [](auto &x, Maker &) { x.epsilon = -1; }},
                        {"epsilon", [](auto &x, Maker &) { x.epsilon = NAN; }},
                        {"target overlaps source", [](auto &x, Maker &) { x.target.data = x.source.data; }}});
  RmsNormGradientArgs gradient;
  gradient.gradOut = maker.normal(kF32, {4, 6});
  gradient.source = norm.source;
  gradient.weight = norm.weight;
  gradient.rstd = maker.positive(kF32, {4});
  gradient.residualGradient = maker.normal(kF32, {4, 6});
  gradient.gradSource = gradient.residualGradient;
  gradient.gradWeight = maker.normal(kF32, {6});
  refuses<RmsNormGradientArgs>(gradient, maker,
                               {{"source is f32[4]", [](auto &x, Maker &) { x.source.rank = 1; }},
                                {"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                                {"grad_out is f32[4,5]", [](auto &x, Maker &) { shrink(x.gradOut); }},
                                {"weight is f32[5]", [](auto &x, Maker &) { shrink(x.weight); }},
                                {"rstd is f32[3]", [](auto &x, Maker &) { shrink(x.rstd); }},
                                {"residual_gradient is f32[4,5]",
                                 [](auto &x, Maker &m) {
                                   x.residualGradient = m.normal(kF32, {4, 5});
                                 }},
                                {"grad_source is f32[4,5]",
                                 [](auto &x, Maker &m) {
                                   x.gradSource = m.empty(kF32, {4, 5});
                                 }},
                                {"grad_weight is f32[5]", [](auto &x, Maker &) { shrink(x.gradWeight); }},
                                {"grad_weight is bf16", [](auto &x, Maker &) { x.gradWeight.dtype = DType::BF16; }},
                                {"grad_source overlaps source", [](auto &x, Maker &) { x.gradSource.data = x.source.data; }}});
}

TEST(Check, LayerNormAndItsGradient) {
  Maker maker;
  LayerNormArgs norm;
  norm.source = maker.normal(kF32, {4, 6});
  norm.weight = maker.normal(kF32, {6});
  norm.bias = maker.normal(kF32, {6});
  norm.target = maker.empty(kF32, {4, 6});
  norm.mean = maker.empty(kF32, {4});
  norm.rstd = maker.empty(kF32, {4});
  refuses<LayerNormArgs>(norm, maker,
                         {{"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                          {"source is f32[4]", [](auto &x, Maker &) { x.source.rank = 1; }},
                          {"weight is f32[5]", [](auto &x, Maker &) { shrink(x.weight); }},
                          {"bias is f32[5]", [](auto &x, Maker &) { shrink(x.bias); }},
                          {"bias is bf16", [](auto &x, Maker &) { x.bias.dtype = DType::BF16; }},
                          {"target is f32[4,5]", [](auto &x, Maker &) { shrink(x.target); }},
                          {"mean is f32[3]", [](auto &x, Maker &) { shrink(x.mean); }},
                          {"rstd is f32[3]", [](auto &x, Maker &) { shrink(x.rstd); }},
                          {"rstd is bf16", [](auto &x, Maker &) { x.rstd.dtype = DType::BF16; }},
                          {"epsilon", [](auto &x, Maker &) { x.epsilon = -1; }},
                          {"epsilon", [](auto &x, Maker &) { x.epsilon = NAN; }},
                          {"target overlaps source", [](auto &x, Maker &) { x.target.data = x.source.data; }}});
  LayerNormGradientArgs gradient;
  gradient.gradOut = maker.normal(kF32, {4, 6});
  gradient.source = norm.source;
  gradient.weight = norm.weight;
  gradient.mean = maker.normal(kF32, {4});
  gradient.rstd = maker.positive(kF32, {4});
  gradient.residualGradient = maker.normal(kF32, {4, 6});
  gradient.gradSource = gradient.residualGradient;
  gradient.gradWeight = maker.normal(kF32, {6});
  gradient.gradBias = maker.normal(kF32, {6});
  refuses<LayerNormGradientArgs>(gradient, maker,
                                 {{"source is f32[4]", [](auto &x, Maker &) { x.source.rank = 1; }},
                                  {"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                                  {"grad_out is f32[4,5]", [](auto &x, Maker &) { shrink(x.gradOut); }},
                                  {"weight is f32[5]", [](auto &x, Maker &) { shrink(x.weight); }},
                                  {"mean is f32[3]", [](auto &x, Maker &) { shrink(x.mean); }},
                                  {"rstd is f32[3]", [](auto &x, Maker &) { shrink(x.rstd); }},
                                  {"residual_gradient is f32[4,5]",
                                   [](auto &x, Maker &m) {
                                     x.residualGradient = m.normal(kF32, {4, 5});
                                   }},
                                  {"grad_source is f32[4,5]",
                                   [](auto &x, Maker &m) {
                                     x.gradSource = m.empty(kF32, {4, 5});
                                   }},
                                  {"grad_weight is f32[5]", [](auto &x, Maker &) { shrink(x.gradWeight); }},
                                  {"grad_bias is bf16", [](auto &x, Maker &) { x.gradBias.dtype = DType::BF16; }},
                                  {"grad_source overlaps source", [](auto &x, Maker &) { x.gradSource.data = x.source.data; }}});
}

TEST(Check, Activations) {
  Maker maker;
  ActivationArgs forward;
  forward.source = maker.normal(kF32, {8});
  forward.target = maker.empty(kF32, {8});
  refuses<ActivationArgs>(forward, maker,
                          {{"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                           {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                           {"target is f32[7]", [](auto &x, Maker &) { shrink(x.target); }},
                           {"kind is -1", [](auto &x, Maker &) { x.kind = -1; }},
                           {"kind is 3", [](auto &x, Maker &) { x.kind = 3; }}});
  ActivationGradientArgs gradient;
  gradient.gradOut = maker.normal(kF32, {8});
  gradient.source = forward.source;
  gradient.gradSource = maker.empty(kF32, {8});
  refuses<ActivationGradientArgs>(gradient, maker,
                                  {{"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                                   {"grad_out is f32[7]", [](auto &x, Maker &) { shrink(x.gradOut); }},
                                   {"grad_source is bf16", [](auto &x, Maker &) { x.gradSource.dtype = DType::BF16; }},
                                   {"kind is 3", [](auto &x, Maker &) { x.kind = 3; }}});
  ClampHalfArgs clamp;
  clamp.source = maker.normal(DType::F16, {8});
  clamp.target = maker.empty(DType::F16, {8});
  refuses<ClampHalfArgs>(clamp, maker,
                         {{"source is f32", [](auto &x, Maker &m) { x.source = m.normal(kF32, {8}); }},
                          {"target is f32", [](auto &x, Maker &m) { x.target = m.empty(kF32, {8}); }},
                          {"target is f16[7]", [](auto &x, Maker &) { shrink(x.target); }}});
  ClampHalfGradientArgs clampGradient;
  clampGradient.gradOut = maker.normal(DType::F16, {8});
  clampGradient.clamped = clamp.target;
  clampGradient.gradSource = maker.empty(DType::F16, {8});
  refuses<ClampHalfGradientArgs>(clampGradient, maker,
                                 {{"grad_out is bf16", [](auto &x, Maker &) { x.gradOut.dtype = DType::BF16; }},
                                  {"clamped is f16[7]", [](auto &x, Maker &) { shrink(x.clamped); }},
                                  {"grad_source is f16[7]", [](auto &x, Maker &) { shrink(x.gradSource); }},
                                  {"grad_source overlaps clamped", [](auto &x, Maker &) { x.gradSource.data = x.clamped.data; }}});
  GatedActivationArgs gated;
  gated.gate = maker.normal(kF32, {8});
  gated.up = maker.normal(kF32, {8});
  gated.target = maker.empty(kF32, {8});
  refuses<GatedActivationArgs>(gated, maker,
                               {{"gate is f64", [](auto &x, Maker &) { x.gate.dtype = DType::F64; }},
                                {"up is f32[7]", [](auto &x, Maker &) { shrink(x.up); }},
                                {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                                {"kind is 3", [](auto &x, Maker &) { x.kind = 3; }}});
  GatedActivationGradientArgs gatedGradient;
  gatedGradient.gradOut = maker.normal(kF32, {8});
  gatedGradient.gate = gated.gate;
  gatedGradient.up = gated.up;
  gatedGradient.gradGate = maker.empty(kF32, {8});
  gatedGradient.gradUp = maker.empty(kF32, {8});
  refuses<GatedActivationGradientArgs>(gatedGradient, maker,
                                       {{"grad_out is f64", [](auto &x, Maker &) { x.gradOut.dtype = DType::F64; }},
                                        {"up is f32[7]", [](auto &x, Maker &) { shrink(x.up); }},
                                        {"grad_up is bf16", [](auto &x, Maker &) { x.gradUp.dtype = DType::BF16; }},
                                        {"kind is -1", [](auto &x, Maker &) { x.kind = -1; }},
                                        {"grad_gate overlaps up", [](auto &x, Maker &) { x.gradGate.data = x.up.data; }}});
}

TEST(Check, FusedProjections) {
  Maker maker;
  SplitQkvArgs split;
  split.source = maker.normal(kF32, {5, 24});
  split.query = maker.empty(kF32, {5, 12});
  split.key = maker.empty(kF32, {5, 6});
  split.value = maker.empty(kF32, {5, 6});
  split.heads = 4;
  split.kvHeads = 2;
  refuses<SplitQkvArgs>(split, maker,
                        {{"source is f64", [](auto &x, Maker &) { x.source.dtype = DType::F64; }},
                         {"source is f32[5]", [](auto &x, Maker &) { x.source.rank = 1; }},
                         {"a width of 23", [](auto &x, Maker &) { shrink(x.source); }},
                         {"heads is 0", [](auto &x, Maker &) { x.heads = 0; }},
                         {"kv_heads is 0", [](auto &x, Maker &) { x.kvHeads = 0; }},
                         {"heads is", [](auto &x, Maker &) { x.heads = INT64_MAX; }},
                         {"3 kv_heads", [](auto &x, Maker &) { x.kvHeads = 3; }},
                         {"query is f32[5,11]", [](auto &x, Maker &) { shrink(x.query); }},
                         {"key is f32[5,5]", [](auto &x, Maker &) { shrink(x.key); }},
                         {"value is bf16", [](auto &x, Maker &) { x.value.dtype = DType::BF16; }},
                         {"key overlaps source", [](auto &x, Maker &) { x.key.data = x.source.data; }}});
  JoinQkvArgs join;
  join.query = maker.normal(kF32, {5, 12});
  join.value = maker.normal(kF32, {5, 6});
  join.target = maker.empty(kF32, {5, 24});
  join.heads = 4;
  join.kvHeads = 2;
  refuses<JoinQkvArgs>(join, maker,
                       {{"target is f64", [](auto &x, Maker &) { x.target.dtype = DType::F64; }},
                        {"a width of 23", [](auto &x, Maker &) { shrink(x.target); }},
                        {"3 kv_heads", [](auto &x, Maker &) { x.kvHeads = 3; }},
                        {"query is f32[5,11]", [](auto &x, Maker &) { shrink(x.query); }},
                        {"value is bf16", [](auto &x, Maker &) { x.value.dtype = DType::BF16; }},
                        {"target overlaps query", [](auto &x, Maker &) { x.target.data = x.query.data; }}});
}

TEST(Check, Rope) {
  Maker maker;
  static const float frequencies[] = {1, 0.5f, 0.25f}, tooMany[129] = {};
  RopeTableArgs table;
  table.positions = maker.integers({4}, 0, 9);
  table.cosine = maker.empty(kF32, {4, 3});
  table.sine = maker.empty(kF32, {4, 3});
  table.inverseFrequencies = frequencies;
  table.scaling = 1;
  refuses<RopeTableArgs>(table, maker,
                         {{"positions is f32", [](auto &x, Maker &) { x.positions.dtype = kF32; }},
                          {"cosine is f64", [](auto &x, Maker &) { x.cosine.dtype = DType::F64; }},
                          {"cosine is f32[4,3]", [](auto &x, Maker &) { x.inverseFrequencies = {}; }},
                          {"inverse_frequencies has 129", [](auto &x, Maker &) { x.inverseFrequencies = tooMany; }},
                          {"cosine is f32[4,2]", [](auto &x, Maker &) { shrink(x.cosine); }},
                          {"sine is f32[4,2]", [](auto &x, Maker &) { shrink(x.sine); }},
                          {"sine is bf16", [](auto &x, Maker &) { x.sine.dtype = DType::BF16; }},
                          {"scaling", [](auto &x, Maker &) { x.scaling = INFINITY; }}});
  RopeArgs rope;
  rope.source = maker.normal(kF32, {4, 12});
  rope.cosine = table.cosine;
  rope.sine = table.sine;
  rope.target = rope.source;
  rope.headDim = 6;
  refuses<RopeArgs>(rope, maker,
                    {{"head_dim", [](auto &x, Maker &) { x.headDim = 0; }},
                     {"head_dim", [](auto &x, Maker &) { x.headDim = 3; }},
                     {"head_dim", [](auto &x, Maker &) { x.headDim = 8; }},
                     {"head_dim", [](auto &x, Maker &) { x.headDim = 24; }},
                     {"cosine is f32[4,2]", [](auto &x, Maker &) { shrink(x.cosine); }},
                     {"sine is bf16", [](auto &x, Maker &) { x.sine.dtype = DType::BF16; }},
                     {"source is f32[4]",
                      [](auto &x, Maker &m) {
                        x.source.rank = 1, x.target = m.empty(kF32, {4, 12});
                      }},
                     {"source is f64",
                      [](auto &x, Maker &m) {
                        x.source.dtype = DType::F64, x.target = m.empty(kF32, {4, 12});
                      }},
                     {"target is f32[4,11]",
                      [](auto &x, Maker &m) {
                        x.target = m.empty(kF32, {4, 11});
                      }},
                     {"target overlaps cosine", [](auto &x, Maker &) { x.target.data = x.cosine.data; }}});
}

TEST(Check, SiluMulAndItsGradient) {
  Maker maker;
  SiluMulArgs forward;
  forward.gate = maker.normal(kF32, {8});
  forward.up = maker.normal(kF32, {8});
  forward.target = maker.empty(kF32, {8});
  refuses<SiluMulArgs>(forward, maker,
                       {{"gate is f64", [](auto &x, Maker &) { x.gate.dtype = DType::F64; }},
                        {"up is bf16", [](auto &x, Maker &) { x.up.dtype = DType::BF16; }},
                        {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
                        {"up is f32[7]", [](auto &x, Maker &) { shrink(x.up); }},
                        {"target is f32[7]", [](auto &x, Maker &) { shrink(x.target); }}});
  SiluMulGradientArgs gradient;
  gradient.gradOut = maker.normal(kF32, {8});
  gradient.gate = forward.gate;
  gradient.up = forward.up;
  gradient.gradGate = maker.empty(kF32, {8});
  gradient.gradUp = maker.empty(kF32, {8});
  refuses<SiluMulGradientArgs>(gradient, maker,
                               {{"grad_out is f64", [](auto &x, Maker &) { x.gradOut.dtype = DType::F64; }},
                                {"gate is bf16", [](auto &x, Maker &) { x.gate.dtype = DType::BF16; }},
                                {"up is f32[7]", [](auto &x, Maker &) { shrink(x.up); }},
                                {"grad_gate is f32[7]", [](auto &x, Maker &) { shrink(x.gradGate); }},
                                {"grad_up is bf16", [](auto &x, Maker &) { x.gradUp.dtype = DType::BF16; }},
                                {"grad_gate overlaps grad_up", [](auto &x, Maker &) { x.gradUp.data = x.gradGate.data; }},
                                {"grad_gate overlaps up", [](auto &x, Maker &) { x.gradGate.data = x.up.data; }}});
}

TEST(Check, LinearCrossEntropy) {
  Maker maker;
  LinearCrossEntropyArgs valid;
  valid.hidden = maker.normal(kF32, {6, 4});
  valid.weight = maker.normal(kF32, {100, 4});
  valid.labels = maker.integers({6}, 0, 9);
  valid.workspace = maker.workspace(linearCrossEntropyWorkspaceBytes(3, 6, 100, 4, kF32));
  valid.lossSum = maker.positive(DType::F64, {1});
  valid.gradHidden = maker.empty(kF32, {6, 4});
  valid.gradWeight = maker.normal(kF32, {100, 4});
  valid.chunk = 3;
  valid.length = 3;
  refuses<LinearCrossEntropyArgs>(valid, maker,
                                  {{"hidden is f64", [](auto &x, Maker &) { x.hidden.dtype = DType::F64; }},
                                   {"hidden is f32[6]", [](auto &x, Maker &) { x.hidden.rank = 1; }},
                                   {"weight is f32[100,3]", [](auto &x, Maker &) { shrink(x.weight); }},
                                   {"weight is bf16", [](auto &x, Maker &) { x.weight.dtype = DType::BF16; }},
                                   {"labels is i32[5]", [](auto &x, Maker &) { shrink(x.labels); }},
                                   {"labels is f32", [](auto &x, Maker &) { x.labels.dtype = kF32; }},
                                   {"loss_sum is f32", [](auto &x, Maker &) { x.lossSum.dtype = kF32; }},
                                   {"loss_sum is f64[3]", [](auto &x, Maker &m) { x.lossSum = m.positive(DType::F64, {3}); }},
                                   {"loss_sum is f64[6]", [](auto &x, Maker &m) { x.lossSum = m.positive(DType::F64, {6}); }},
                                   {"grad_hidden is f32[6,3]", [](auto &x, Maker &) { shrink(x.gradHidden); }},
                                   {"grad_weight is f32[100,3]", [](auto &x, Maker &) { shrink(x.gradWeight); }},
                                   {"grad_weight is bf16", [](auto &x, Maker &) { x.gradWeight.dtype = DType::BF16; }},
                                   {"chunk", [](auto &x, Maker &) { x.chunk = 0; }},
                                   {"chunk", [](auto &x, Maker &) { x.chunk = 7; }},
                                   {"length", [](auto &x, Maker &) { x.length = 0; }},
                                   {"whole rows", [](auto &x, Maker &) { x.length = 4; }},
                                   {"workspace has", [](auto &x, Maker &) { shrink(x.workspace); }},
                                   {"workspace has", [](auto &x, Maker &) { x.chunk = 6; }},
                                   {"grad_hidden overlaps hidden", [](auto &x, Maker &) { x.gradHidden.data = x.hidden.data; }},
                                   {"scalars is u8[63]", [](auto &x, Maker &m) { x.scalars = m.scalars(StepScalars{}), shrink(x.scalars); }},
                                   {"below 2^31", [](auto &x, Maker &) {
                                      x.weight.dims[0] = int64_t{1} << 31;
                                      x.weight.data = reinterpret_cast<void *>(uintptr_t{64});
                                      x.gradWeight = {};
                                    }}});
}

TEST(Check, Optimizer) {
  Maker maker;
  SumSquaresArgs squares;
  squares.source = maker.normal(kF32, {8});
  squares.target = maker.positive(DType::F64, {1});
  refuses<SumSquaresArgs>(squares, maker,
                          {{"source is bf16", [](auto &x, Maker &) { x.source.dtype = DType::BF16; }},
                           {"target is f32", [](auto &x, Maker &) { x.target.dtype = kF32; }},
                           {"target is f64[2]", [](auto &x, Maker &m) { x.target = m.empty(DType::F64, {2}); }}});
  FinishStepArgs finish;
  finish.squareSum = squares.target;
  finish.lossSum = maker.positive(DType::F64, {1});
  finish.scalars = maker.scalars(StepScalars{});
  finish.coefficient = maker.empty(kF32, {1});
  finish.metrics = maker.empty(DType::F64, {4});
  refuses<FinishStepArgs>(finish, maker,
                          {{"square_sum is f32", [](auto &x, Maker &) { x.squareSum.dtype = kF32; }},
                           {"loss_sum is f32", [](auto &x, Maker &) { x.lossSum.dtype = kF32; }},
                           {"scalars is u8[63]", [](auto &x, Maker &) { shrink(x.scalars); }},
                           {"coefficient is f64", [](auto &x, Maker &m) { x.coefficient = m.empty(DType::F64, {1}); }},
                           {"metrics is f64[3]", [](auto &x, Maker &) { shrink(x.metrics); }},
                           {"max_norm", [](auto &x, Maker &) { x.maxNorm = NAN; }},
                           {"metrics overlaps", [](auto &x, Maker &) { x.lossSum.data = x.metrics.data; }}});
  AdamwArgs adamw;
  adamw.gradient = squares.source;
  adamw.coefficient = finish.coefficient;
  adamw.scalars = finish.scalars;
  adamw.master = maker.normal(kF32, {8});
  adamw.moment1 = maker.normal(kF32, {8});
  adamw.moment2 = maker.positive(kF32, {8});
  adamw.computeCopy = maker.empty(DType::BF16, {8});
  refuses<AdamwArgs>(adamw, maker,
                     {{"gradient is bf16", [](auto &x, Maker &) { x.gradient.dtype = DType::BF16; }},
                      {"coefficient is f32[2]", [](auto &x, Maker &m) { x.coefficient = m.empty(kF32, {2}); }},
                      {"scalars is u8[63]", [](auto &x, Maker &) { shrink(x.scalars); }},
                      {"master is f32[7]", [](auto &x, Maker &) { shrink(x.master); }},
                      {"moment1 is f32[7]", [](auto &x, Maker &) { shrink(x.moment1); }},
                      {"moment2 is bf16", [](auto &x, Maker &) { x.moment2.dtype = DType::BF16; }},
                      {"compute_copy is f32", [](auto &x, Maker &m) { x.computeCopy = m.empty(kF32, {8}); }},
                      {"compute_copy is bf16[7]", [](auto &x, Maker &) { shrink(x.computeCopy); }},
                      {"beta1", [](auto &x, Maker &) { x.beta1 = 1; }},
                      {"beta2", [](auto &x, Maker &) { x.beta2 = -0.1; }},
                      {"epsilon", [](auto &x, Maker &) { x.epsilon = -1; }},
                      {"weight_decay", [](auto &x, Maker &) { x.weightDecay = NAN; }},
                      {"decay_end", [](auto &x, Maker &) { x.decayEnd = -1; }},
                      {"master overlaps moment1", [](auto &x, Maker &) { x.moment1.data = x.master.data; }}});
}

} // namespace
} // namespace zp::rt::test
