// BART: an encoder and a decoder with learned positions, a LayerNorm behind each half of a block, biases everywhere.
#include <cmath>

#include "frontends/huggingface/ConfigValues.h"
#include "frontends/huggingface/architectures/EncoderDecoder.h"

namespace zp::fe {

static constexpr ModuleRow kFront[] = {
    {"model", ModuleKind::Container},
    {"model.shared", ModuleKind::Embedding, Role::Embedding, Width::Vocabulary, Width::Hidden},
    {"model.encoder", ModuleKind::Container},
    {"model.encoder.embed_tokens", ModuleKind::Embedding, Role::EmbeddingAlias, Width::Vocabulary, Width::Hidden},
    {"model.encoder.embed_positions", ModuleKind::Embedding, Role::SourcePositions, Width::Positions, Width::Hidden},
};
static constexpr ModuleRow kEncoderBlock[] = {
    {"self_attn", ModuleKind::Container},
    {"self_attn.k_proj", ModuleKind::Linear, Role::Key, Width::KeyValue, Width::Hidden},
    {"self_attn.v_proj", ModuleKind::Linear, Role::Value, Width::KeyValue, Width::Hidden},
    {"self_attn.q_proj", ModuleKind::Linear, Role::Query, Width::Query, Width::Hidden},
    {"self_attn.out_proj", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    {"self_attn_layer_norm", ModuleKind::LayerNorm, Role::InputNorm, Width::Hidden},
    {"activation_fn", ModuleKind::Other},
    {"fc1", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden},
    {"fc2", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
    {"final_layer_norm", ModuleKind::LayerNorm, Role::PostNorm, Width::Hidden},
};
static constexpr ModuleRow kBetween[] = {
    {"model.encoder.layernorm_embedding", ModuleKind::LayerNorm, Role::SourceEmbeddingNorm, Width::Hidden},
    {"model.decoder", ModuleKind::Container},
    {"model.decoder.embed_tokens", ModuleKind::Embedding, Role::EmbeddingAlias, Width::Vocabulary, Width::Hidden},
    {"model.decoder.embed_positions", ModuleKind::Embedding, Role::Positions, Width::Positions, Width::Hidden},
};
static constexpr ModuleRow kDecoderBlock[] = {
    {"self_attn", ModuleKind::Container},
    {"self_attn.k_proj", ModuleKind::Linear, Role::Key, Width::KeyValue, Width::Hidden},
    {"self_attn.v_proj", ModuleKind::Linear, Role::Value, Width::KeyValue, Width::Hidden},
    {"self_attn.q_proj", ModuleKind::Linear, Role::Query, Width::Query, Width::Hidden},
    {"self_attn.out_proj", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    {"activation_fn", ModuleKind::Other},
    {"self_attn_layer_norm", ModuleKind::LayerNorm, Role::InputNorm, Width::Hidden},
    {"encoder_attn", ModuleKind::Container},
    {"encoder_attn.k_proj", ModuleKind::Linear, Role::CrossKey, Width::KeyValue, Width::Hidden},
    {"encoder_attn.v_proj", ModuleKind::Linear, Role::CrossValue, Width::KeyValue, Width::Hidden},
    {"encoder_attn.q_proj", ModuleKind::Linear, Role::CrossQuery, Width::Query, Width::Hidden},
    {"encoder_attn.out_proj", ModuleKind::Linear, Role::CrossOutput, Width::Hidden, Width::Query},
    {"encoder_attn_layer_norm", ModuleKind::LayerNorm, Role::CrossNorm, Width::Hidden},
    {"fc1", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden},
    {"fc2", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
    {"final_layer_norm", ModuleKind::LayerNorm, Role::PostNorm, Width::Hidden},
};
static constexpr ModuleRow kDecoderEmbedding[] = {
    {"model.decoder.layernorm_embedding", ModuleKind::LayerNorm, Role::EmbeddingNorm, Width::Hidden},
};
static constexpr ModuleRow kEnd[] = {
    {"lm_head", ModuleKind::Linear, Role::Head, Width::Vocabulary, Width::Hidden},
};
static constexpr Section kSections[] = {
    {Place::Embeddings, "", kFront},
    {Place::SourceBlocks, "model.encoder.layers", kEncoderBlock},
    {Place::Embeddings, "", kBetween},
    {Place::Blocks, "model.decoder.layers", kDecoderBlock},
    {Place::Embeddings, "", kDecoderEmbedding},
    {Place::Head, "", kEnd},
};
static constexpr const char *kTargets[] = {"q_proj", "v_proj"};
static constexpr const char *kOtherArchitectures[] = {"BartModel"};

/// Both stacks have one size; every BART that was published has.
static int64_t sizeOfBoth(JsonReader &reader, const char *encoder, const char *decoder, int64_t absent) {
  int64_t size = readSize(reader, {encoder}, absent), other = readSize(reader, {decoder}, absent);
  if (size != other)
    reader.fail(ErrorCode::UnknownArchitecture, decoder,
                "is " + std::to_string(other) + ", expected " + std::to_string(size) + " as " + encoder +
                    " has; choose a model whose encoder and decoder are alike");
  return size;
}

static Status readBart(const JsonDocument &config, ModelSpec &spec) {
  JsonReader reader(config);
  spec.vocabulary = readSize(reader, {"vocab_size"}, 50265);
  spec.hidden = readSize(reader, {"d_model", "hidden_size"}, 1024);
  spec.encoderLayers = readLayers(reader, {"encoder_layers", "num_hidden_layers"}, 12);
  spec.layers = readLayers(reader, {"decoder_layers"}, 12);
  spec.heads = spec.kvHeads = sizeOfBoth(reader, "encoder_attention_heads", "decoder_attention_heads", 16);
  spec.intermediate = sizeOfBoth(reader, "encoder_ffn_dim", "decoder_ffn_dim", 4096);
  spec.maxPositions = readSize(reader, {"max_position_embeddings"}, 1024);
  ZP_RETURN_IF_ERROR(reader.status());
  spec.headDim = divideHeads(reader, "d_model", spec.hidden, spec.heads);
  spec.positionOffset = 2;
  spec.paddingToken = readPaddingToken(reader, spec.vocabulary, 1);
  spec.normEpsilon = 1e-5;
  spec.normAfter = true;
  spec.halfClamps = HalfClamps::EncoderBlocks;
  spec.activation = readActivation(reader, "activation_function", "gelu");
  spec.queryKeyValueBias = spec.outputBias = spec.mlpBias = true;
  spec.embeddingScale = reader.boolean("scale_embedding", false) ? std::sqrt(double(spec.hidden)) : 1;
  spec.tiedHead = reader.boolean("tie_word_embeddings", true);
  spec.hiddenDropout = readDropout(reader, "dropout", 0.1);
  spec.activationDropout = readDropout(reader, "activation_dropout", 0);
  spec.probabilityDropout = readDropout(reader, "attention_dropout", 0);
  for (const char *name : {"encoder_layerdrop", "decoder_layerdrop"})
    refuseOtherNumber(reader, name, 0, "set it to 0: layers are never left out");
  for (const char *name : {"normalize_before", "add_final_layer_norm", "add_bias_logits"})
    if (reader.boolean(name, false))
      reader.fail(ErrorCode::UnknownArchitecture, name, "is true, expected false as BART has it; choose such a model");
  requireEncoder(reader);
  return reader.status();
}

constinit const Family kBartFamily = {
    .modelType = "bart",
    .architecture = "BartForConditionalGeneration",
    .structure = Structure::EncoderDecoder,
    .read = readBart,
    .sections = kSections,
    .basePrefix = "model.",
    .defaultTargets = kTargets,
    .otherArchitectures = kOtherArchitectures,
    .decoderStart = 2,
    .untiesEmbeddings = true,
};

} // namespace zp::fe
