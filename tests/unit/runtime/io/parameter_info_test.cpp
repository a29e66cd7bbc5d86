// Which parameters of a plan have a row a token.
#include "runtime/io/parameter_info.h"

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "runtime/io/token_weights.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

constexpr int64_t kTokens = 8;

std::vector<std::string> embeddingsAmong(const std::vector<const char *> &frozen, const std::vector<const char *> &trained) {
  flatbuffers::FlatBufferBuilder b;
  const std::vector<int64_t> shape = {kTokens, 4}; // of all of them
  auto section = [&](const char *name, fbs::SectionKind kind, const std::vector<const char *> &names) {
    std::vector<flatbuffers::Offset<fbs::Parameter>> parameters;
    for (const char *parameter : names)
      parameters.push_back(fbs::CreateParameterDirect(b, parameter, parameter, "", &shape, 0));
    return fbs::CreateSectionDirect(b, name, 0, kind, 0, 128, false, false, false, 0, &parameters, 0);
  };
  std::vector<flatbuffers::Offset<fbs::Section>> sections = {section("frozen", fbs::SectionKind::Frozen, frozen),
                                                             section("trained", fbs::SectionKind::Trainable, trained)};
  b.Finish(fbs::CreatePlanDirect(b, 1, "cpu", nullptr, "", "", kTokens, 0, nullptr, nullptr, nullptr, &sections));
  std::vector<std::string> names;
  for (const fbs::Parameter *parameter : frozenEmbeddings(*flatbuffers::GetRoot<fbs::Plan>(b.GetBufferPointer())))
    names.push_back(parameter->name()->str());
  return names;
}

TEST(FrozenEmbeddings, AreKnownByTheirNames) {
  using Names = std::vector<std::string>;
  // A linear with as many outputs as there are tokens is none.
  EXPECT_EQ(embeddingsAmong({"model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "lm_head.weight"}, {}),
            (Names{"model.embed_tokens.weight", "lm_head.weight"}));
  EXPECT_EQ(embeddingsAmong({"transformer.word_embeddings.weight", "transformer.h.0.mlp.dense_h_to_4h.weight"}, {}),
            (Names{"transformer.word_embeddings.weight"}));
  EXPECT_EQ(embeddingsAmong({"shared.weight", "decoder.block.0.layer.2.DenseReluDense.wi.weight"}, {}), (Names{"shared.weight"}));
  EXPECT_EQ(embeddingsAmong({"model.shared.weight", "model.encoder.embed_positions.weight"}, {}), (Names{"model.shared.weight"}));
  EXPECT_EQ(embeddingsAmong({"model.norm.weight"}, {"model.embed_tokens.weight", "lm_head.weight"}), Names()) << "what is trained isn't frozen";
}

TEST(EmbeddingIn, IsTheSharedOneNotAnAlias) {
  auto found = [](const std::vector<const char *> &names) {
    zp::test::TemporaryDirectory directory;
    std::vector<SafetensorsEntry> entries;
    for (const char *name : names)
      entries.push_back({name, SafetensorsDtype::U8, {0}});
    auto writer = SafetensorsWriter::create(directory.file("model.safetensors"), entries, nullptr);
    EXPECT_TRUE(writer.ok() && writer->finish().ok());
    auto checkpoint = ModelWeights::open(directory.path);
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status().toString();
    return checkpoint.ok() ? embeddingIn(*checkpoint) : "";
  };
  EXPECT_EQ(found({"encoder.embed_tokens.weight", "lm_head.weight", "shared.weight"}), "shared.weight");
  EXPECT_EQ(found({"h.0.mlp.dense_h_to_4h.weight", "word_embeddings.weight", "word_embeddings_layernorm.weight"}), "word_embeddings.weight");
  EXPECT_EQ(found({"lm_head.weight", "model.embed_tokens.weight"}), "model.embed_tokens.weight");
  EXPECT_EQ(found({"lm_head.weight", "model.embed_positions.weight", "not_embed_tokens.weight"}), "");
}

} // namespace
} // namespace zp::rt
