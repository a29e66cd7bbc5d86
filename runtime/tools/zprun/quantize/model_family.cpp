#include "runtime/tools/zprun/quantize/model_family.h"

namespace zp::rt {

using nlohmann::json;

namespace {

constexpr ModelFamily kFamilies[] = {
    {"LlamaForCausalLM", "llama", R"({
       "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
       "num_key_value_heads": null, "hidden_act": "silu", "max_position_embeddings": 2048, "initializer_range": 0.02,
       "rms_norm_eps": 1e-06, "use_cache": true, "pad_token_id": null, "bos_token_id": 1, "eos_token_id": 2, "pretraining_tp": 1,
       "tie_word_embeddings": false, "rope_parameters": null, "attention_bias": false, "attention_dropout": 0.0, "mlp_bias": false,
       "head_dim": null})",
     true, false, false, false},
    {"MistralForCausalLM", "mistral", R"({
       "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
       "num_key_value_heads": 8, "head_dim": null, "hidden_act": "silu", "max_position_embeddings": 131072, "initializer_range": 0.02,
       "rms_norm_eps": 1e-06, "use_cache": true, "pad_token_id": null, "bos_token_id": 1, "eos_token_id": 2,
       "tie_word_embeddings": false, "rope_parameters": null, "sliding_window": 4096, "attention_dropout": 0.0})",
     true, false, false, false},
    {"Qwen2ForCausalLM", "qwen2", R"({
       "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32, "num_attention_heads": 32,
       "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings": 32768, "initializer_range": 0.02,
       "rms_norm_eps": 1e-06, "use_cache": true, "tie_word_embeddings": false, "rope_parameters": null, "use_sliding_window": false,
       "sliding_window": 4096, "max_window_layers": 28, "layer_types": null, "attention_dropout": 0.0, "pad_token_id": null,
       "bos_token_id": null, "eos_token_id": null})",
     false, true, true, false},
    {"Qwen3ForCausalLM", "qwen3", R"({
       "vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32, "num_attention_heads": 32,
       "num_key_value_heads": 32, "head_dim": 128, "hidden_act": "silu", "max_position_embeddings": 32768, "initializer_range": 0.02,
       "rms_norm_eps": 1e-06, "use_cache": true, "tie_word_embeddings": false, "rope_parameters": null, "attention_bias": false,
       "use_sliding_window": false, "sliding_window": 4096, "max_window_layers": 28, "layer_types": null, "attention_dropout": 0.0,
       "pad_token_id": null, "bos_token_id": null, "eos_token_id": null})",
     false, true, false, true},
};

/// Sizes beyond these are no model's; below them products fit in 64 bits.
constexpr uint64_t kLargestSize = uint64_t{1} << 24;

/// Numbers of a configuration; the first wrong one is kept.
class Sizes {
public:
  Sizes(const json &config, const std::string &path) : config(config), path(path) {}
  uint64_t size(const char *key, uint64_t absent = 0) {
    auto it = config.find(key);
    if (it == config.end() || it->is_null())
      return absent > 0 ? absent : wrong(key, "null");
    bool good = it->is_number_unsigned() && it->get<uint64_t>() > 0 && it->get<uint64_t>() <= kLargestSize;
    return good ? it->get<uint64_t>() : wrong(key, it->dump(-1, ' ', true, json::error_handler_t::replace));
  }
  bool flag(const char *key) const {
    auto it = config.find(key);
    return it != config.end() && it->is_boolean() && it->get<bool>();
  }
  Status status;

private:
  uint64_t wrong(const char *key, const std::string &value) {
    if (status.ok())
      status = Status(ErrorCode::Config, path + ": " + key + ": is " + value +
                                             ", expected a whole number from 1 to 2^24; fetch the file again");
    return 1;
  }
  const json &config;
  const std::string &path;
};

} // namespace

const ModelFamily *findFamily(std::string_view architecture) {
  for (const ModelFamily &family : kFamilies)
    if (architecture == family.architecture)
      return &family;
  return nullptr;
}

std::string knownArchitectures() {
  std::string names;
  for (const ModelFamily &family : kFamilies)
    names += (names.empty() ? "" : ", ") + std::string(family.architecture);
  return names;
}

StatusOr<std::vector<ModelTensor>> tensorsOf(const ModelFamily &family, const json &config, bool head,
                                             const std::string &path) {
  Sizes sizes(config, path);
  const uint64_t vocabulary = sizes.size("vocab_size"), hidden = sizes.size("hidden_size"),
                 inner = sizes.size("intermediate_size");
  const uint64_t heads = sizes.size("num_attention_heads"), layers = sizes.size("num_hidden_layers");
  const uint64_t headDim = sizes.size("head_dim", hidden / heads), keyHeads = sizes.size("num_key_value_heads", heads);
  ZP_RETURN_IF_ERROR(sizes.status);
  const bool attentionBias = sizes.flag("attention_bias"), qkvBias = attentionBias || family.alwaysQkvBias,
             mlpBias = sizes.flag("mlp_bias");

  std::vector<ModelTensor> tensors = {{"model.embed_tokens.weight", {vocabulary, hidden}}};
  for (uint64_t i = 0; i < layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    auto linear = [&](const char *module, uint64_t out, uint64_t in, bool bias) {
      tensors.push_back({layer + module + ".weight", {out, in}, true});
      if (bias)
        tensors.push_back({layer + module + ".bias", {out}});
    };
    tensors.push_back({layer + "input_layernorm.weight", {hidden}});
    linear("self_attn.q_proj", heads * headDim, hidden, qkvBias);
    linear("self_attn.k_proj", keyHeads * headDim, hidden, qkvBias);
    linear("self_attn.v_proj", keyHeads * headDim, hidden, qkvBias);
    linear("self_attn.o_proj", hidden, heads * headDim, attentionBias);
    if (family.normalizesHeads)
      for (const char *norm : {"self_attn.q_norm.weight", "self_attn.k_norm.weight"})
        tensors.push_back({layer + norm, {headDim}});
    tensors.push_back({layer + "post_attention_layernorm.weight", {hidden}});
    linear("mlp.gate_proj", inner, hidden, mlpBias);
    linear("mlp.up_proj", inner, hidden, mlpBias);
    linear("mlp.down_proj", hidden, inner, mlpBias);
  }
  tensors.push_back({"model.norm.weight", {hidden}});
  if (head)
    tensors.push_back({"lm_head.weight", {vocabulary, hidden}});
  return tensors;
}

} // namespace zp::rt
