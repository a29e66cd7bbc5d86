#include "frontends/huggingface/architectures/RotaryDecoder.h"

#include "frontends/huggingface/ConfigValues.h"
#include "frontends/huggingface/RopeFrequencies.h"

namespace zp::fe {

static bool applies(BiasRule rule, JsonReader &reader) {
  switch (rule) {
  case BiasRule::Never:
    return false;
  case BiasRule::Always:
    return true;
  case BiasRule::AttentionBias:
    return reader.boolean("attention_bias", false);
  case BiasRule::MlpBias:
    return reader.boolean("mlp_bias", false);
  }
  return false;
}

static std::vector<int64_t> readWindows(WindowRule rule, int64_t layers, JsonReader &reader) {
  std::vector<int64_t> windows(size_t(layers), 0);
  if (rule == WindowRule::Never)
    return windows;
  // An explicit null switches the window off, an absent key means the class default.
  int64_t window = reader.contains("sliding_window") ? reader.integer("sliding_window", 0) : 4096;
  if (reader.has("sliding_window") && window <= 0)
    reader.fail(ErrorCode::Json, "sliding_window", "is " + std::to_string(window) + ", expected a positive number or null; correct the value");
  // transformers takes a Mistral with layer_types for a Ministral, the same but for its windows.
  if (rule == WindowRule::EveryLayer && !reader.has("layer_types")) {
    windows.assign(windows.size(), window);
    return windows;
  }
  // transformers 4 wrote a sliding_window that use_sliding_window false makes void.
  if (rule != WindowRule::EveryLayer && !reader.boolean("use_sliding_window", false))
    return windows;
  std::vector<std::string> types = reader.texts("layer_types");
  if (reader.has("layer_types") && types.size() != windows.size()) {
    reader.fail(ErrorCode::Json, "layer_types",
                "has " + std::to_string(types.size()) + " entries, expected one for each of the " + std::to_string(layers) +
                    " layers; correct the list");
    return windows;
  }
  int64_t first = reader.integer("max_window_layers", 28);
  for (size_t i = 0; i < windows.size(); ++i) {
    if (!types.empty() && types[i] != "full_attention" && types[i] != "sliding_attention")
      reader.fail(ErrorCode::UnknownArchitecture, "layer_types",
                  "holds \"" + types[i] + "\", expected full_attention or sliding_attention; choose a model without it");
    if (types.empty() ? int64_t(i) >= first : types[i] == "sliding_attention")
      windows[i] = window;
  }
  return windows;
}

/// Of the gate. UnknownArchitecture for one that is not built.
static Activation readGate(JsonReader &reader) {
  const std::string name = reader.text("hidden_act", "silu");
  const std::optional<Activation> found = activationNamed(name);
  if (!found)
    reader.fail(ErrorCode::UnknownArchitecture, "hidden_act",
                "is \"" + name + "\", expected silu, relu, gelu or gelu_new; choose a model with one of those activations");
  return found.value_or(Activation::Silu);
}

Status readRotaryDecoder(const JsonDocument &config, const RotaryDefaults &defaults, ModelSpec &spec) {
  JsonReader reader(config);
  spec.vocabulary = readSize(reader, {"vocab_size"}, defaults.vocabulary);
  spec.hidden = readSize(reader, {"hidden_size"}, defaults.hidden);
  spec.intermediate = readSize(reader, {"intermediate_size"}, defaults.intermediate);
  spec.layers = readLayers(reader, {"num_hidden_layers"}, defaults.layers);
  spec.heads = readSize(reader, {"num_attention_heads"}, defaults.heads);
  // A written null means as many as heads, whatever the class default.
  bool kvNull = reader.contains("num_key_value_heads") && !reader.has("num_key_value_heads");
  spec.kvHeads = readSize(reader, {"num_key_value_heads"}, kvNull || !defaults.kvHeads ? spec.heads : defaults.kvHeads);
  spec.maxPositions = readSize(reader, {"max_position_embeddings"}, defaults.maxPositions);
  ZP_RETURN_IF_ERROR(reader.status());
  if (reader.has("head_dim") || defaults.headDim)
    spec.headDim = readSize(reader, {"head_dim"}, defaults.headDim);
  else
    spec.headDim = divideHeads(reader, "hidden_size", spec.hidden, spec.heads);
  spec.normEpsilon = readEpsilon(reader, "rms_norm_eps", defaults.normEpsilon);
  spec.probabilityDropout = readDropout(reader, "attention_dropout", 0);
  spec.tiedHead = reader.boolean("tie_word_embeddings", false);
  spec.paddingToken = readPaddingToken(reader, spec.vocabulary, -1);
  spec.queryKeyValueBias = applies(defaults.queryKeyValueBias, reader);
  spec.outputBias = applies(defaults.outputBias, reader);
  spec.mlpBias = applies(defaults.mlpBias, reader);
  spec.windows = readWindows(defaults.window, spec.layers, reader);
  spec.activation = readGate(reader);
  refuseOtherNumber(reader, "partial_rotary_factor", 1, "choose a model that rotates whole heads");
  ZP_RETURN_IF_ERROR(reader.status());
  ZP_ASSIGN_OR_RETURN(spec.rope, importRope(config, spec.headDim, spec.maxPositions));
  return Status();
}

} // namespace zp::fe
