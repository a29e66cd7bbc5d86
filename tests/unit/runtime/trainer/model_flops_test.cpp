// The numerator of model_bound, counted by hand.
#include "runtime/trainer/model_flops.h"

#include <gtest/gtest.h>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {
namespace {

/// A model of hidden size 8, two heads of 4, one layer, vocabulary 10; its one linear [6, 8] in a section of `kind`,
/// and an adapter's two matrices of rank 2.
double flopsWith(fbs::SectionKind kind) {
  flatbuffers::FlatBufferBuilder builder;
  auto parameter = [&](const char *name, std::vector<int64_t> shape) {
    return fbs::CreateParameterDirect(builder, name, name, "", &shape, 0, fbs::Initial::Checkpoint);
  };
  std::vector<flatbuffers::Offset<fbs::Parameter>> frozen = {parameter("model.layers.0.self_attn.q_proj.weight", {6, 8})};
  std::vector<flatbuffers::Offset<fbs::Parameter>> rest = {parameter("model.embed_tokens.weight", {10, 8}), parameter("model.norm.weight", {8}),
                                                           parameter("lm_head.weight", {10, 8})};
  std::vector<flatbuffers::Offset<fbs::Parameter>> adapter = {parameter("q.lora_A.weight", {2, 8}), parameter("q.lora_B.weight", {6, 2})};
  std::vector<flatbuffers::Offset<fbs::Section>> sections = {
      fbs::CreateSectionDirect(builder, "linears", 0, kind, 6, 4368, true, false, false, 0, &frozen),
      fbs::CreateSectionDirect(builder, "rest", 0, fbs::SectionKind::Frozen, 0, 256, true, false, false, 0, &rest),
      fbs::CreateSectionDirect(builder, "adapter", 0, fbs::SectionKind::Trainable, 0, 64, true, true, true, 0, &adapter)};
  const char *config = R"({"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1})";
  builder.Finish(fbs::CreatePlanDirect(builder, 1, "cpu", nullptr, "", config, 10, 0, nullptr, nullptr, nullptr, &sections));
  auto flops = flopsPerToken(*flatbuffers::GetRoot<fbs::Plan>(builder.GetBufferPointer()), 16);
  EXPECT_TRUE(flops.ok());
  return *flops;
}

TEST(ModelFlops, CodesCountAsTheLinearsThatTheyStandFor) {
  const double attention = 7.0 * 16 * 8, head = 4.0 * 10 * 8, adapters = 6.0 * (2 * 8 + 6 * 2), linear = 6 * 8;
  EXPECT_EQ(flopsWith(fbs::SectionKind::Codes), attention + head + adapters + 4 * linear);
  EXPECT_EQ(flopsWith(fbs::SectionKind::Frozen), flopsWith(fbs::SectionKind::Codes));
  EXPECT_EQ(flopsWith(fbs::SectionKind::Trainable), attention + head + adapters + 6 * linear);
}

TEST(ModelFlops, AnEncodersLinearsMultiplyTheSource) {
  flatbuffers::FlatBufferBuilder builder;
  auto parameter = [&](const char *name, std::vector<int64_t> shape) {
    return fbs::CreateParameterDirect(builder, name, name, "", &shape, 0, fbs::Initial::Checkpoint);
  };
  std::vector<flatbuffers::Offset<fbs::Parameter>> frozen = {
      parameter("shared.weight", {10, 8}),
      parameter("encoder.block.0.layer.0.SelfAttention.q.weight", {6, 8}),
      parameter("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", {32, 2}),
      parameter("decoder.block.0.layer.0.SelfAttention.q.weight", {6, 8}),
      parameter("decoder.block.0.layer.1.EncDecAttention.q.weight", {6, 8}),
      parameter("decoder.block.0.layer.1.EncDecAttention.v.weight", {6, 8})};
  std::vector<flatbuffers::Offset<fbs::Section>> sections = {
      fbs::CreateSectionDirect(builder, "all", 0, fbs::SectionKind::Frozen, 0, 512, true, false, false, 0, &frozen)};
  const char *config = R"({"d_model": 8, "num_heads": 2, "d_kv": 3, "num_layers": 1})";
  builder.Finish(fbs::CreatePlanDirect(builder, 1, "cpu", nullptr, "", config, 10, 0, nullptr, nullptr, nullptr, &sections));
  auto flops = flopsPerToken(*flatbuffers::GetRoot<fbs::Plan>(builder.GetBufferPointer()), 4, 12);
  ASSERT_TRUE(flops.ok());
  const double width = 2 * 3, linear = 4.0 * 6 * 8, head = 4.0 * 10 * 8;
  // Of a row of 4: own attention to 4, the cross one to 12, and the encoder's 12 tokens that see 12, three to a decoder's token.
  const double attention = 7 * 4 * width + 14 * 12 * width + 3 * 14 * 12 * width;
  EXPECT_EQ(*flops, attention + head + 2 * linear + 3 * 2 * linear);
}

} // namespace
} // namespace zp::rt
