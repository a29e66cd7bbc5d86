#include "frontends/huggingface/ConfigImporter.h"

#include "frontends/common/Names.h"
#include "frontends/huggingface/RopeFrequencies.h"
#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

StatusOr<const Family *> familyOf(const JsonDocument &config) {
  JsonReader reader(config);
  std::vector<std::string> architectures = reader.texts("architectures");
  std::string modelType = reader.text("model_type", "");
  ZP_RETURN_IF_ERROR(reader.status());
  std::vector<std::string> supported;
  for (const Family *family : allFamilies()) {
    supported.push_back(family->architecture);
    if (architectures.empty() ? modelType == family->modelType
                              : architectures[0] == family->architecture)
      return family;
  }
  std::string expected =
      ", expected one of " + joinNames(supported) + "; choose a model of a supported family";
  if (!architectures.empty())
    return config.error(ErrorCode::UnknownArchitecture, "architectures",
                        "is " + architectures[0] + expected);
  return config.error(ErrorCode::UnknownArchitecture, "model_type",
                      "is \"" + modelType + "\" and there is no architectures" + expected);
}

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
    reader.fail(ErrorCode::Json, "sliding_window",
                "is " + std::to_string(window) +
                    ", expected a positive number or null; correct the value");
  if (rule == WindowRule::EveryLayer) {
    windows.assign(windows.size(), window);
    return windows;
  }
  // transformers 4 wrote a sliding_window that use_sliding_window false makes void.
  if (!reader.boolean("use_sliding_window", false))
    return windows;
  std::vector<std::string> types = reader.texts("layer_types");
  if (reader.has("layer_types") && types.size() != windows.size()) {
    reader.fail(ErrorCode::Json, "layer_types",
                "has " + std::to_string(types.size()) + " entries, expected one for each of the " +
                    std::to_string(layers) + " layers; correct the list");
    return windows;
  }
  int64_t first = reader.integer("max_window_layers", 28);
  for (size_t i = 0; i < windows.size(); ++i) {
    if (!types.empty() && types[i] != "full_attention" && types[i] != "sliding_attention")
      reader.fail(
          ErrorCode::UnknownArchitecture, "layer_types",
          "holds \"" + types[i] +
              "\", expected full_attention or sliding_attention; choose a model without it");
    if (types.empty() ? int64_t(i) >= first : types[i] == "sliding_attention")
      windows[i] = window;
  }
  return windows;
}

/// What would change the mathematics and is not built.
static void refuseUnsupported(JsonReader &reader) {
  if (std::string act = reader.text("hidden_act", "silu"); act != "silu")
    reader.fail(ErrorCode::UnknownArchitecture, "hidden_act",
                "is \"" + act + "\", expected \"silu\"; choose a model with that activation");
  if (double dropout = reader.number("attention_dropout", 0); dropout != 0)
    reader.fail(ErrorCode::UnknownArchitecture, "attention_dropout",
                "is " + std::to_string(dropout) + ", expected 0; set it to 0");
  if (double part = reader.number("partial_rotary_factor", 1); part != 1)
    reader.fail(ErrorCode::UnknownArchitecture, "partial_rotary_factor",
                "is " + std::to_string(part) +
                    ", expected 1; choose a model that rotates whole heads");
}

StatusOr<ModelSpec> importConfig(const JsonDocument &config) {
  ZP_ASSIGN_OR_RETURN(const Family *family, familyOf(config));
  JsonReader reader(config);
  ModelSpec spec;
  spec.architecture = family->architecture;
  spec.modelType = family->modelType;
  spec.configFile = config.name();
  spec.configText = config.text();
  auto size = [&](const char *key, int64_t absent) {
    int64_t value = reader.integer(key, absent);
    // Far above any model, far below where products of two sizes overflow.
    if (value <= 0 || value > (int64_t(1) << 30))
      reader.fail(ErrorCode::Json, key,
                  "is " + std::to_string(value) +
                      ", expected a positive size below 2^30; correct the value");
    return value;
  };
  spec.vocabulary = size("vocab_size", family->vocabulary);
  spec.hidden = size("hidden_size", family->hidden);
  spec.intermediate = size("intermediate_size", family->intermediate);
  spec.layers = size("num_hidden_layers", family->layers);
  spec.heads = size("num_attention_heads", family->heads);
  // A written null means as many as heads, whatever the class default.
  bool kvNull = reader.contains("num_key_value_heads") && !reader.has("num_key_value_heads");
  spec.kvHeads =
      size("num_key_value_heads", kvNull || !family->kvHeads ? spec.heads : family->kvHeads);
  spec.maxPositions = size("max_position_embeddings", family->maxPositions);
  ZP_RETURN_IF_ERROR(reader.status());
  if (spec.layers > 10000)
    return config.error(ErrorCode::Json, "num_hidden_layers",
                        "is " + std::to_string(spec.layers) +
                            ", expected at most 10000; correct the value");
  bool headDimGiven = reader.has("head_dim") || family->headDim;
  if (!headDimGiven && spec.hidden % spec.heads)
    return config.error(ErrorCode::Json, "hidden_size",
                        "is " + std::to_string(spec.hidden) + " with " +
                            std::to_string(spec.heads) +
                            " heads and no head_dim, expected a multiple of the heads; correct one "
                            "of them or write head_dim");
  spec.headDim = size("head_dim", family->headDim ? family->headDim : spec.hidden / spec.heads);
  spec.rmsEpsilon = reader.number("rms_norm_eps", family->rmsEpsilon);
  spec.tiedHead = reader.boolean("tie_word_embeddings", false);
  spec.queryKeyValueBias = applies(family->queryKeyValueBias, reader);
  spec.outputBias = applies(family->outputBias, reader);
  spec.mlpBias = applies(family->mlpBias, reader);
  spec.windows = readWindows(family->window, spec.layers, reader);
  refuseUnsupported(reader);
  ZP_RETURN_IF_ERROR(reader.status());
  ZP_ASSIGN_OR_RETURN(spec.rope, importRope(config, spec.headDim, spec.maxPositions));
  return spec;
}

} // namespace zp::fe
