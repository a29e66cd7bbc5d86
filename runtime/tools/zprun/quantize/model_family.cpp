#include "runtime/tools/zprun/quantize/model_family.h"

#include "runtime/tools/zprun/quantize/tensor_list.h"

namespace zp::rt {

using nlohmann::json;

namespace {

uint64_t wholeIn(const json &config, const char *key) {
  auto it = config.find(key);
  return it != config.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}
bool isTrue(const json &config, const char *key) {
  auto it = config.find(key);
  return it != config.end() && it->is_boolean() && it->get<bool>();
}
/// `config[key]` is `value` unless it says something already.
void defaultTo(json &config, const char *key, const json &value) {
  if (config[key].is_null())
    config[key] = value;
}
/// What the class computes before the file's own keys are laid over it, for a key that is no field.
void compute(const json &given, json &config, const char *key, const json &value) {
  if (!given.contains(key))
    config[key] = value;
}

void deriveKeyHeads(const json &, json &config) { defaultTo(config, "num_key_value_heads", config["num_attention_heads"]); }

/// A null head_dim is hidden_size / heads.
void deriveHeadDim(const json &given, json &config) {
  deriveKeyHeads(given, config);
  if (const uint64_t heads = wholeIn(config, "num_attention_heads"))
    defaultTo(config, "head_dim", wholeIn(config, "hidden_size") / heads);
}

/// Layer types follow from a sliding window, which use_sliding_window switches.
void deriveLayerTypes(const json &given, json &config) {
  deriveKeyHeads(given, config);
  if (!isTrue(config, "use_sliding_window"))
    config["sliding_window"] = nullptr;
  const uint64_t layers = wholeIn(config, "num_hidden_layers");
  if (!config["layer_types"].is_null() || layers >= 1u << 16)
    return;
  config["layer_types"] = json::array();
  for (uint64_t i = 0; i < layers; ++i)
    config["layer_types"].push_back(!config["sliding_window"].is_null() && i >= wholeIn(config, "max_window_layers") ? "sliding_attention"
                                                                                                                     : "full_attention");
}

/// Older files say hidden_size as n_embed, which goes before it.
void takeOldWidth(const json &given, json &config) {
  if (given.contains("n_embed") && !given["n_embed"].is_null())
    config["hidden_size"] = given["n_embed"];
  config.erase("n_embed");
}

void deriveFalcon(const json &given, json &config) {
  takeOldWidth(given, config);
  defaultTo(config, "num_kv_heads", config["num_attention_heads"]);
  defaultTo(config, "ffn_hidden_size", 4 * wholeIn(config, "hidden_size"));
  if (isTrue(config, "new_decoder_architecture"))
    defaultTo(config, "num_ln_in_parallel_attn", 2);
}

void deriveNothing(const json &, json &) {}

/// "relu", or "gated-" and the gate's activation.
void deriveMt5(const json &given, json &config) {
  defaultTo(config, "num_decoder_layers", config["num_layers"]);
  const std::string projection = config["feed_forward_proj"].is_string() ? config["feed_forward_proj"].get<std::string>() : "";
  compute(given, config, "dense_act_fn",
          projection == "gated-gelu" ? "gelu_new" : projection.substr(projection.rfind('-') + 1)); // npos + 1: all of it
  compute(given, config, "is_gated_act", projection.starts_with("gated-"));
  config["tie_word_embeddings"] = true; // whatever the file says
}

/// In T5's files that key tells whether the head's input is scaled.
void deriveT5(const json &given, json &config) {
  deriveMt5(given, config);
  compute(given, config, "scale_decoder_outputs", !given.contains("tie_word_embeddings") || given["tie_word_embeddings"] != false);
}

/// Files of the hub that name the model without its head, or as it was once called, hold the same.
struct OtherName {
  const char *name, *architecture;
};
constexpr OtherName kOtherNames[] = {{"LlamaModel", "LlamaForCausalLM"},
                                     {"MistralModel", "MistralForCausalLM"},
                                     {"Qwen2Model", "Qwen2ForCausalLM"},
                                     {"Qwen3Model", "Qwen3ForCausalLM"},
                                     {"FalconModel", "FalconForCausalLM"},
                                     {"BloomModel", "BloomForCausalLM"},
                                     {"BartModel", "BartForConditionalGeneration"},
                                     {"T5WithLMHeadModel", "T5ForConditionalGeneration"},
                                     {"T5Model", "T5ForConditionalGeneration"},
                                     {"MT5Model", "MT5ForConditionalGeneration"}};

constexpr const char *kT5Aliases =
    R"({"hidden_size": "d_model", "num_attention_heads": "num_heads", "num_hidden_layers": "num_layers", "head_dim": "d_kv"})";

constexpr ModelFamily kFamilies[] = {
    {"LlamaForCausalLM", "llama", R"({
       "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
       "num_attention_heads": 32, "num_key_value_heads": null, "hidden_act": "silu", "max_position_embeddings": 2048,
       "initializer_range": 0.02, "rms_norm_eps": 1e-06, "use_cache": true, "pad_token_id": null, "bos_token_id": 1,
       "eos_token_id": 2, "pretraining_tp": 1, "tie_word_embeddings": false, "rope_parameters": null,
       "attention_bias": false, "attention_dropout": 0.0, "mlp_bias": false, "head_dim": null})",
     "{}", deriveHeadDim, listRotaryDecoder, nullptr},
    {"MistralForCausalLM", "mistral", R"({
       "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
       "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": null, "hidden_act": "silu",
       "max_position_embeddings": 131072, "initializer_range": 0.02, "rms_norm_eps": 1e-06, "use_cache": true,
       "pad_token_id": null, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": false, "rope_parameters": null,
       "sliding_window": 4096, "attention_dropout": 0.0})",
     "{}", deriveHeadDim, listRotaryDecoder, nullptr},
    {"Qwen2ForCausalLM", "qwen2", R"({
       "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
       "num_attention_heads": 32, "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings": 32768,
       "initializer_range": 0.02, "rms_norm_eps": 1e-06, "use_cache": true, "tie_word_embeddings": false,
       "rope_parameters": null, "use_sliding_window": false, "sliding_window": 4096, "max_window_layers": 28,
       "layer_types": null, "attention_dropout": 0.0, "pad_token_id": null, "bos_token_id": null, "eos_token_id": null})",
     "{}", deriveLayerTypes, listRotaryDecoder, nullptr},
    {"Qwen3ForCausalLM", "qwen3", R"({
       "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
       "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128, "hidden_act": "silu",
       "max_position_embeddings": 32768, "initializer_range": 0.02, "rms_norm_eps": 1e-06, "use_cache": true,
       "tie_word_embeddings": false, "rope_parameters": null, "attention_bias": false, "use_sliding_window": false,
       "sliding_window": 4096, "max_window_layers": 28, "layer_types": null, "attention_dropout": 0.0, "pad_token_id": null,
       "bos_token_id": null, "eos_token_id": null})",
     "{}", deriveLayerTypes, listRotaryDecoder, nullptr},
    {"FalconForCausalLM", "falcon", R"({
       "vocab_size": 65024, "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
       "num_ln_in_parallel_attn": null, "layer_norm_epsilon": 1e-05, "initializer_range": 0.02, "use_cache": true,
       "hidden_dropout": 0.0, "attention_dropout": 0.0, "num_kv_heads": null, "alibi": false,
       "new_decoder_architecture": false, "multi_query": true, "parallel_attn": true, "bias": false,
       "max_position_embeddings": 2048, "rope_parameters": null, "bos_token_id": 11, "eos_token_id": 11,
       "pad_token_id": null, "ffn_hidden_size": null, "activation": "gelu", "tie_word_embeddings": true})",
     "{}", deriveFalcon, listFalcon,
     "transformers 5 keeps Falcon's linears in floats and reads no others; this is as transformers 4 writes and reads them"},
    {"BloomForCausalLM", "bloom", R"({
       "vocab_size": 250880, "hidden_size": 64, "n_layer": 2, "n_head": 8, "layer_norm_epsilon": 1e-05,
       "initializer_range": 0.02, "use_cache": true, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": null,
       "apply_residual_connection_post_layernorm": false, "hidden_dropout": 0.0, "attention_dropout": 0.0,
       "pretraining_tp": 1, "slow_but_exact": false, "tie_word_embeddings": true})",
     R"({"num_hidden_layers": "n_layer", "num_attention_heads": "n_head"})", takeOldWidth, listBloom, nullptr},
    {"BartForConditionalGeneration", "bart", R"({
       "vocab_size": 50265, "max_position_embeddings": 1024, "encoder_layers": 12, "encoder_ffn_dim": 4096,
       "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096, "decoder_attention_heads": 16,
       "encoder_layerdrop": 0.0, "decoder_layerdrop": 0.0, "activation_function": "gelu", "d_model": 1024, "dropout": 0.1,
       "attention_dropout": 0.0, "activation_dropout": 0.0, "init_std": 0.02, "classifier_dropout": 0.0,
       "scale_embedding": false, "use_cache": true, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
       "is_encoder_decoder": true, "decoder_start_token_id": 2, "forced_eos_token_id": 2, "is_decoder": false,
       "tie_word_embeddings": true, "id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}, "label2id": {"LABEL_0": 0,
       "LABEL_1": 1, "LABEL_2": 2}})",
     R"({"num_attention_heads": "encoder_attention_heads", "hidden_size": "d_model", "num_hidden_layers": "encoder_layers"})", deriveNothing,
     listBart, nullptr},
    {"T5ForConditionalGeneration", "t5", R"({
       "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_decoder_layers": null,
       "num_heads": 8, "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "dropout_rate": 0.1,
       "layer_norm_epsilon": 1e-06, "initializer_factor": 1.0, "feed_forward_proj": "relu", "is_encoder_decoder": true,
       "use_cache": true, "pad_token_id": 0, "eos_token_id": 1, "classifier_dropout": 0.0, "is_decoder": false})",
     kT5Aliases, deriveT5, listT5, nullptr},
    {"MT5ForConditionalGeneration", "mt5", R"({
       "vocab_size": 250112, "d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_decoder_layers": null,
       "num_heads": 6, "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "dropout_rate": 0.1,
       "layer_norm_epsilon": 1e-06, "initializer_factor": 1.0, "feed_forward_proj": "gated-gelu", "is_encoder_decoder": true,
       "use_cache": true, "tie_word_embeddings": true, "bos_token_id": null, "pad_token_id": 0, "eos_token_id": 1,
       "decoder_start_token_id": 0, "classifier_dropout": 0.0, "is_decoder": false})",
     kT5Aliases, deriveMt5, listT5, nullptr},
};

} // namespace

const ModelFamily *findFamily(std::string_view architecture, std::string_view modelType) {
  for (const OtherName &other : kOtherNames)
    if (architecture == other.name)
      architecture = other.architecture;
  const ModelFamily *named = nullptr, *typed = nullptr;
  for (const ModelFamily &family : kFamilies) {
    named = architecture == family.architecture ? &family : named;
    typed = modelType == family.modelType ? &family : typed;
  }
  return named && typed ? typed : named;
}

std::string knownArchitectures() {
  std::string names;
  for (const ModelFamily &family : kFamilies)
    names += (names.empty() ? "" : ", ") + std::string(family.architecture);
  return names;
}

StatusOr<std::vector<ModelTensor>> tensorsOf(const ModelFamily &family, const json &config, bool head, const std::string &path) {
  TensorList list(family.modelType, config, path);
  family.list(config, list);
  ZP_RETURN_IF_ERROR(list.status);
  if (head)
    list.add("lm_head.weight", list.tensors.front().shape); // as the embedding's, which is the first
  for (ModelTensor &tensor : list.tensors)
    tensor.source = tensor.name;
  return std::move(list.tensors);
}

} // namespace zp::rt
