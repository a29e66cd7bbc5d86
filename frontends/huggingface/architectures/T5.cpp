// T5, FLAN-T5, mT5 and mT0: an encoder and a decoder, RMSNorm before each half of a block, scores with a bias by distance and
// without a scale, no biases of linears.
#include <cmath>

#include "frontends/huggingface/ConfigValues.h"
#include "frontends/huggingface/architectures/EncoderDecoder.h"

namespace zp::fe {

static bool isGated(const ModelSpec &spec) { return spec.gatedMlp; }
static bool isPlain(const ModelSpec &spec) { return !spec.gatedMlp; }

static constexpr ModuleRow kFront[] = {
    {"shared", ModuleKind::Embedding, Role::Embedding, Width::Vocabulary, Width::Hidden},
    {"encoder", ModuleKind::Container},
    {"encoder.embed_tokens", ModuleKind::Embedding, Role::EmbeddingAlias, Width::Vocabulary, Width::Hidden},
};
static constexpr ModuleRow kEncoderBlock[] = {
    {"layer", ModuleKind::Container},
    {"layer.0", ModuleKind::Container},
    {"layer.0.SelfAttention", ModuleKind::Container},
    {"layer.0.SelfAttention.q", ModuleKind::Linear, Role::Query, Width::Query, Width::Hidden},
    {"layer.0.SelfAttention.k", ModuleKind::Linear, Role::Key, Width::KeyValue, Width::Hidden},
    {"layer.0.SelfAttention.v", ModuleKind::Linear, Role::Value, Width::KeyValue, Width::Hidden},
    {"layer.0.SelfAttention.o", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    {"layer.0.SelfAttention.relative_attention_bias", ModuleKind::Embedding, Role::SourceRelativeBias, Width::Buckets, Width::Heads, nullptr,
     /*shared=*/true},
    {"layer.0.layer_norm", ModuleKind::RmsNorm, Role::InputNorm, Width::Hidden},
    {"layer.0.dropout", ModuleKind::Other},
    {"layer.1", ModuleKind::Container},
    {"layer.1.DenseReluDense", ModuleKind::Container},
    {"layer.1.DenseReluDense.wi", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden, isPlain},
    {"layer.1.DenseReluDense.wi_0", ModuleKind::Linear, Role::Gate, Width::Intermediate, Width::Hidden, isGated},
    {"layer.1.DenseReluDense.wi_1", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden, isGated},
    {"layer.1.DenseReluDense.wo", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
    {"layer.1.DenseReluDense.dropout", ModuleKind::Other},
    {"layer.1.DenseReluDense.act", ModuleKind::Other},
    {"layer.1.layer_norm", ModuleKind::RmsNorm, Role::PostNorm, Width::Hidden},
    {"layer.1.dropout", ModuleKind::Other},
};
static constexpr ModuleRow kEncoderEnd[] = {
    {"encoder.final_layer_norm", ModuleKind::RmsNorm, Role::SourceFinalNorm, Width::Hidden},
    {"encoder.dropout", ModuleKind::Other},
};
static constexpr ModuleRow kBetween[] = {
    {"decoder", ModuleKind::Container},
    {"decoder.embed_tokens", ModuleKind::Embedding, Role::EmbeddingAlias, Width::Vocabulary, Width::Hidden},
};
static constexpr ModuleRow kDecoderBlock[] = {
    {"layer", ModuleKind::Container},
    {"layer.0", ModuleKind::Container},
    {"layer.0.SelfAttention", ModuleKind::Container},
    {"layer.0.SelfAttention.q", ModuleKind::Linear, Role::Query, Width::Query, Width::Hidden},
    {"layer.0.SelfAttention.k", ModuleKind::Linear, Role::Key, Width::KeyValue, Width::Hidden},
    {"layer.0.SelfAttention.v", ModuleKind::Linear, Role::Value, Width::KeyValue, Width::Hidden},
    {"layer.0.SelfAttention.o", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    {"layer.0.SelfAttention.relative_attention_bias", ModuleKind::Embedding, Role::RelativeBias, Width::Buckets, Width::Heads, nullptr,
     /*shared=*/true},
    {"layer.0.layer_norm", ModuleKind::RmsNorm, Role::InputNorm, Width::Hidden},
    {"layer.0.dropout", ModuleKind::Other},
    {"layer.1", ModuleKind::Container},
    {"layer.1.EncDecAttention", ModuleKind::Container},
    {"layer.1.EncDecAttention.q", ModuleKind::Linear, Role::CrossQuery, Width::Query, Width::Hidden},
    {"layer.1.EncDecAttention.k", ModuleKind::Linear, Role::CrossKey, Width::KeyValue, Width::Hidden},
    {"layer.1.EncDecAttention.v", ModuleKind::Linear, Role::CrossValue, Width::KeyValue, Width::Hidden},
    {"layer.1.EncDecAttention.o", ModuleKind::Linear, Role::CrossOutput, Width::Hidden, Width::Query},
    {"layer.1.layer_norm", ModuleKind::RmsNorm, Role::CrossNorm, Width::Hidden},
    {"layer.1.dropout", ModuleKind::Other},
    {"layer.2", ModuleKind::Container},
    {"layer.2.DenseReluDense", ModuleKind::Container},
    {"layer.2.DenseReluDense.wi", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden, isPlain},
    {"layer.2.DenseReluDense.wi_0", ModuleKind::Linear, Role::Gate, Width::Intermediate, Width::Hidden, isGated},
    {"layer.2.DenseReluDense.wi_1", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden, isGated},
    {"layer.2.DenseReluDense.wo", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
    {"layer.2.DenseReluDense.dropout", ModuleKind::Other},
    {"layer.2.DenseReluDense.act", ModuleKind::Other},
    {"layer.2.layer_norm", ModuleKind::RmsNorm, Role::PostNorm, Width::Hidden},
    {"layer.2.dropout", ModuleKind::Other},
};
static constexpr ModuleRow kEnd[] = {
    {"decoder.final_layer_norm", ModuleKind::RmsNorm, Role::FinalNorm, Width::Hidden},
    {"decoder.dropout", ModuleKind::Other},
    {"lm_head", ModuleKind::Linear, Role::Head, Width::Vocabulary, Width::Hidden},
};
static constexpr Section kSections[] = {
    {Place::Embeddings, "", kFront},   {Place::SourceBlocks, "encoder.block", kEncoderBlock}, {Place::SourceEnd, "", kEncoderEnd},
    {Place::Embeddings, "", kBetween}, {Place::Blocks, "decoder.block", kDecoderBlock},       {Place::Head, "", kEnd},
};
static constexpr const char *kTargets[] = {"q", "v"};
static constexpr const char *kOtherArchitectures[] = {"T5WithLMHeadModel", "T5Model"};
static constexpr const char *kOtherMt5Architectures[] = {"MT5Model"};

/// What a key that config.json lacks stands for, where T5 and mT5 differ.
struct T5Defaults {
  int64_t vocabulary, intermediate, layers, heads;
  const char *projection;
  bool tied;   ///< of transformers 4; 5 always ties, and says so in the file
  bool scaled; ///< whether the head's input may be scaled at all
};

/// "relu", or "gated-" and the gate's activation. What the class makes of it stands in most files too, and is what counts.
static void readProjection(JsonReader &reader, const char *absent, ModelSpec &spec) {
  std::string text = reader.text("feed_forward_proj", absent);
  bool gated = text.starts_with("gated-");
  const std::string name = text == "gated-gelu" ? "gelu_new" : gated ? text.substr(6) : text;
  spec.gatedMlp = reader.boolean("is_gated_act", gated);
  const char *key = reader.has("dense_act_fn") ? "dense_act_fn" : "feed_forward_proj";
  const std::optional<Activation> found = activationNamed(reader.text("dense_act_fn", name));
  if (found && (*found != Activation::Silu || spec.gatedMlp))
    spec.activation = *found;
  else
    reader.fail(ErrorCode::UnknownArchitecture, key,
                "is \"" + reader.text(key, absent) + "\", expected relu, gelu or gelu_new, of a gate silu too; choose such a model");
}

static Status readT5(const JsonDocument &config, const T5Defaults &defaults, ModelSpec &spec) {
  JsonReader reader(config);
  spec.vocabulary = readSize(reader, {"vocab_size"}, defaults.vocabulary);
  spec.hidden = readSize(reader, {"d_model", "hidden_size"}, 512);
  spec.headDim = readSize(reader, {"d_kv"}, 64);
  spec.intermediate = readSize(reader, {"d_ff"}, defaults.intermediate);
  spec.encoderLayers = readLayers(reader, {"num_layers", "num_hidden_layers"}, defaults.layers);
  spec.layers = readLayers(reader, {"num_decoder_layers"}, spec.encoderLayers);
  spec.heads = spec.kvHeads = readSize(reader, {"num_heads", "num_attention_heads"}, defaults.heads);
  spec.relativeBias.buckets = readSize(reader, {"relative_attention_num_buckets"}, 32);
  spec.relativeBias.maxDistance = readSize(reader, {"relative_attention_max_distance"}, 128);
  if (spec.relativeBias.buckets % 4 || spec.relativeBias.maxDistance <= spec.relativeBias.buckets / 2)
    reader.fail(ErrorCode::UnknownArchitecture, "relative_attention_num_buckets",
                "is " + std::to_string(spec.relativeBias.buckets) + " beside a relative_attention_max_distance of " +
                    std::to_string(spec.relativeBias.maxDistance) +
                    ", expected a multiple of 4 whose half is less than the distance; correct one of them");
  spec.normEpsilon = readEpsilon(reader, "layer_norm_epsilon", 1e-6);
  spec.scoreScale = 1;
  readProjection(reader, defaults.projection, spec);
  spec.downInFloats = true;
  spec.halfClamps = HalfClamps::Halves;
  spec.tiedHead = reader.boolean("tie_word_embeddings", defaults.tied);
  // The key says it, not whether the weights are tied.
  bool scaled = defaults.scaled && (reader.has("scale_decoder_outputs") ? reader.boolean("scale_decoder_outputs", true) : spec.tiedHead);
  spec.hiddenScale = scaled ? 1 / std::sqrt(double(spec.hidden)) : 1;
  spec.hiddenDropout = spec.activationDropout = spec.probabilityDropout = readDropout(reader, "dropout_rate", 0.1);
  requireEncoder(reader);
  return reader.status();
}

static constexpr T5Defaults kT5Defaults = {32128, 2048, 6, 8, "relu", /*tied=*/true, /*scaled=*/true};
static constexpr T5Defaults kMt5Defaults = {250112, 1024, 8, 6, "gated-gelu", /*tied=*/false, /*scaled=*/false};

constinit const Family kT5Family = {
    .modelType = "t5",
    .architecture = "T5ForConditionalGeneration",
    .structure = Structure::EncoderDecoder,
    .read = [](const JsonDocument &config, ModelSpec &spec) { return readT5(config, kT5Defaults, spec); },
    .sections = kSections,
    .basePrefix = "",
    .defaultTargets = kTargets,
    .otherArchitectures = kOtherArchitectures,
};

constinit const Family kMt5Family = {
    .modelType = "mt5",
    .architecture = "MT5ForConditionalGeneration",
    .structure = Structure::EncoderDecoder,
    .read = [](const JsonDocument &config, ModelSpec &spec) { return readT5(config, kMt5Defaults, spec); },
    .sections = kSections,
    .basePrefix = "",
    .defaultTargets = kTargets,
    .otherArchitectures = kOtherMt5Architectures,
    .decoderStart = 0,
};

} // namespace zp::fe
