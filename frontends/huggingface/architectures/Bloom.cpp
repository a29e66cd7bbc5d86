// BLOOM and BLOOMZ.
#include "frontends/huggingface/AlibiSlopes.h"
#include "frontends/huggingface/ConfigValues.h"
#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

static constexpr ModuleRow kFront[] = {
    {"transformer", ModuleKind::Container},
    {"transformer.word_embeddings", ModuleKind::Embedding, Role::Embedding, Width::Vocabulary, Width::Hidden},
    {"transformer.word_embeddings_layernorm", ModuleKind::LayerNorm, Role::EmbeddingNorm, Width::Hidden},
};
static constexpr ModuleRow kBlock[] = {
    {"input_layernorm", ModuleKind::LayerNorm, Role::InputNorm, Width::Hidden},
    {"self_attention", ModuleKind::Container},
    {"self_attention.query_key_value", ModuleKind::Linear, Role::QueryKeyValue, Width::QueryKeyValue, Width::Hidden},
    {"self_attention.dense", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    {"self_attention.attention_dropout", ModuleKind::Other},
    {"post_attention_layernorm", ModuleKind::LayerNorm, Role::PostNorm, Width::Hidden},
    {"mlp", ModuleKind::Container},
    {"mlp.dense_h_to_4h", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden},
    {"mlp.gelu_impl", ModuleKind::Other},
    {"mlp.dense_4h_to_h", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
};
static constexpr ModuleRow kEnd[] = {
    {"transformer.ln_f", ModuleKind::LayerNorm, Role::FinalNorm, Width::Hidden},
    {"lm_head", ModuleKind::Linear, Role::Head, Width::Vocabulary, Width::Hidden},
};
static constexpr Section kSections[] = {
    {Place::Embeddings, "", kFront},
    {Place::Blocks, "transformer.h", kBlock},
    {Place::Head, "", kEnd},
};
static constexpr const char *kTargets[] = {"query_key_value"};

static Status readBloom(const JsonDocument &config, ModelSpec &spec) {
  JsonReader reader(config);
  spec.vocabulary = readSize(reader, {"vocab_size"}, 250880);
  // Files of the hub have n_embed, which wins where both stand.
  spec.hidden = readSize(reader, {reader.has("n_embed") ? "n_embed" : "hidden_size"}, 64);
  spec.intermediate = 4 * spec.hidden;
  spec.layers = readLayers(reader, {"n_layer", "num_hidden_layers"}, 2);
  spec.heads = spec.kvHeads = readSize(reader, {"n_head", "num_attention_heads"}, 8);
  ZP_RETURN_IF_ERROR(reader.status());
  spec.headDim = divideHeads(reader, reader.has("n_embed") ? "n_embed" : "hidden_size", spec.hidden, spec.heads);
  spec.normEpsilon = readEpsilon(reader, "layer_norm_epsilon", 1e-5);
  spec.activation = Activation::GeluTanh;
  spec.queryKeyValueBias = spec.outputBias = spec.mlpBias = true;
  spec.residualAfterNorm = reader.boolean("apply_residual_connection_post_layernorm", false);
  spec.attentionDropout = spec.hiddenDropout = readDropout(reader, "hidden_dropout", 0);
  spec.probabilityDropout = readDropout(reader, "attention_dropout", 0);
  spec.tiedHead = reader.boolean("tie_word_embeddings", true);
  if (reader.boolean("slow_but_exact", false) && reader.integer("pretraining_tp", 1) > 1)
    reader.fail(ErrorCode::UnknownArchitecture, "slow_but_exact",
                "is true beside a pretraining_tp above 1, expected false: transformers leaves out biases and adapters then; set it to false");
  ZP_RETURN_IF_ERROR(reader.status());
  spec.alibi.slopes = alibiSlopes(spec.heads);
  return Status();
}

static constexpr const char *kOtherArchitectures[] = {"BloomModel"};

constinit const Family kBloomFamily = {
    .modelType = "bloom",
    .architecture = "BloomForCausalLM",
    .structure = Structure::FusedDecoder,
    .read = readBloom,
    .sections = kSections,
    .basePrefix = "transformer.",
    .defaultTargets = kTargets,
    .otherArchitectures = kOtherArchitectures,
};

} // namespace zp::fe
