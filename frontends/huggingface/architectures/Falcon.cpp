// Falcon 7B, 40B and 180B, and the layout in which the first two were published (RefinedWeb).
#include <cmath>

#include "frontends/huggingface/AlibiSlopes.h"
#include "frontends/huggingface/ConfigValues.h"
#include "frontends/huggingface/RopeFrequencies.h"
#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

static bool isSequential(const ModelSpec &spec) { return !spec.parallelBlocks; }
static bool hasNormForEach(const ModelSpec &spec) { return spec.parallelBlocks && spec.separateNorms; }
static bool hasInputNorm(const ModelSpec &spec) { return !hasNormForEach(spec); }

static constexpr ModuleRow kFront[] = {
    {"transformer", ModuleKind::Container},
    {"transformer.word_embeddings", ModuleKind::Embedding, Role::Embedding, Width::Vocabulary, Width::Hidden},
};
static constexpr ModuleRow kBlock[] = {
    {"self_attention", ModuleKind::Container},
    {"self_attention.query_key_value", ModuleKind::Linear, Role::QueryKeyValue, Width::QueryKeyValue, Width::Hidden},
    {"self_attention.dense", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    {"self_attention.attention_dropout", ModuleKind::Other},
    {"mlp", ModuleKind::Container},
    {"mlp.dense_h_to_4h", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden},
    {"mlp.act", ModuleKind::Other},
    {"mlp.dense_4h_to_h", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
    {"post_attention_layernorm", ModuleKind::LayerNorm, Role::PostNorm, Width::Hidden, Width::None, isSequential},
    {"ln_attn", ModuleKind::LayerNorm, Role::InputNorm, Width::Hidden, Width::None, hasNormForEach},
    {"ln_mlp", ModuleKind::LayerNorm, Role::MlpNorm, Width::Hidden, Width::None, hasNormForEach},
    {"input_layernorm", ModuleKind::LayerNorm, Role::InputNorm, Width::Hidden, Width::None, hasInputNorm},
};
static constexpr ModuleRow kEnd[] = {
    {"transformer.ln_f", ModuleKind::LayerNorm, Role::FinalNorm, Width::Hidden},
    {"transformer.rotary_emb", ModuleKind::Other},
    {"lm_head", ModuleKind::Linear, Role::Head, Width::Vocabulary, Width::Hidden},
};
static constexpr Section kSections[] = {
    {Place::Embeddings, "", kFront},
    {Place::Blocks, "transformer.h", kBlock},
    {Place::Head, "", kEnd},
};
static constexpr const char *kTargets[] = {"query_key_value"};

static void readHeads(JsonReader &reader, bool newDecoder, ModelSpec &spec) {
  spec.heads = readSize(reader, {"num_attention_heads", "n_head"}, 71);
  int64_t stated = readSize(reader, {"num_kv_heads", "n_head_kv"}, spec.heads);
  bool multiQuery = reader.boolean("multi_query", true);
  // Of multi-query attention files often say as many as heads, and it means nothing.
  spec.kvHeads = newDecoder ? stated : multiQuery ? 1 : spec.heads;
  if (!newDecoder && !multiQuery && stated != spec.heads)
    reader.fail(ErrorCode::UnknownArchitecture, "num_kv_heads",
                "is " + std::to_string(stated) + " without multi_query and new_decoder_architecture, expected the " + std::to_string(spec.heads) +
                    " of num_attention_heads; correct one of them");
}

/// Blocks of the new decoder are parallel whatever parallel_attn says.
static void readBlocks(JsonReader &reader, bool newDecoder, ModelSpec &spec) {
  spec.parallelBlocks = newDecoder || reader.boolean("parallel_attn", true);
  int64_t norms = reader.integer("num_ln_in_parallel_attn", newDecoder ? 2 : 1);
  if (norms != 1 && !(norms == 2 && newDecoder))
    reader.fail(ErrorCode::UnknownArchitecture, "num_ln_in_parallel_attn",
                "is " + std::to_string(norms) + ", expected 1, or 2 with new_decoder_architecture; correct one of them");
  spec.separateNorms = norms == 2;
  if (reader.boolean("apply_residual_connection_post_layernorm", false))
    reader.fail(ErrorCode::UnknownArchitecture, "apply_residual_connection_post_layernorm",
                "is true, expected false as in every Falcon that was published; choose such a model");
}

static Status readFalcon(const JsonDocument &config, bool newDecoder, ModelSpec &spec) {
  JsonReader reader(config);
  newDecoder = reader.boolean("new_decoder_architecture", newDecoder);
  spec.vocabulary = readSize(reader, {"vocab_size"}, 65024);
  spec.hidden = readSize(reader, {reader.has("n_embed") ? "n_embed" : "hidden_size"}, 4544);
  spec.intermediate = readSize(reader, {"ffn_hidden_size"}, 4 * spec.hidden);
  spec.layers = readLayers(reader, {"num_hidden_layers", "n_layer"}, 32);
  spec.maxPositions = readSize(reader, {"max_position_embeddings"}, 2048);
  readHeads(reader, newDecoder, spec);
  readBlocks(reader, newDecoder, spec);
  ZP_RETURN_IF_ERROR(reader.status());
  spec.headDim = divideHeads(reader, "hidden_size", spec.hidden, spec.heads);
  spec.normEpsilon = readEpsilon(reader, "layer_norm_epsilon", 1e-5);
  spec.activation = readActivation(reader, "activation", "gelu");
  spec.attentionDropout = readDropout(reader, "attention_dropout", 0);
  spec.hiddenDropout = readDropout(reader, "hidden_dropout", 0);
  spec.queryKeyValueBias = spec.outputBias = spec.mlpBias = reader.boolean("bias", false);
  spec.tiedHead = reader.boolean("tie_word_embeddings", true);
  bool alibi = reader.boolean("alibi", false);
  ZP_RETURN_IF_ERROR(reader.status());
  if (alibi) {
    // The bias is divided with the scores, and made of numbers rounded to bf16 whatever is computed in.
    spec.alibi = {alibiSlopes(spec.heads), 1 / std::sqrt(double(spec.headDim)), true};
    spec.maxPositions = 0;
    spec.probabilityDropout = spec.attentionDropout; // where heads are rotated the reference drops none
    return Status();
  }
  ZP_ASSIGN_OR_RETURN(spec.rope, importRope(config, spec.headDim, spec.maxPositions));
  return Status();
}

static constexpr const char *kOtherArchitectures[] = {"FalconModel"};

constinit const Family kFalconFamily = {
    .modelType = "falcon",
    .architecture = "FalconForCausalLM",
    .structure = Structure::FusedDecoder,
    .read = [](const JsonDocument &config, ModelSpec &spec) { return readFalcon(config, /*newDecoder=*/false, spec); },
    .sections = kSections,
    .basePrefix = "transformer.",
    .defaultTargets = kTargets,
    .otherArchitectures = kOtherArchitectures,
};

/// As Falcon was published with code of its own: 40B as RefinedWeb, 7B as RefinedWebModel. The tensors are the same.
static Status readRefinedWeb(const JsonDocument &config, ModelSpec &spec) {
  std::string type = JsonReader(config).text("model_type", "RefinedWeb");
  if (type != "RefinedWeb" && type != "RefinedWebModel")
    return config.error(ErrorCode::UnknownArchitecture, "model_type",
                        "is \"" + type + "\" of RWForCausalLM, expected RefinedWeb (40B) or RefinedWebModel (7B); correct it");
  spec.notes.push_back("note: " + config.place("model_type") + ": is the layout in which Falcon was first published; it is read as falcon" +
                       (type == "RefinedWeb" ? " with new_decoder_architecture" : ""));
  return readFalcon(config, type == "RefinedWeb", spec);
}

constinit const Family kRefinedWebFamily = {
    .modelType = "RefinedWeb",
    .architecture = "RWForCausalLM",
    .structure = Structure::FusedDecoder,
    .read = readRefinedWeb,
    .sections = kSections,
    .basePrefix = "transformer.",
    .defaultTargets = kTargets,
};

} // namespace zp::fe
