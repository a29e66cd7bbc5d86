// The tensors of models that are a decoder alone.
#include "runtime/tools/zprun/quantize/tensor_list.h"

namespace zp::rt {

using nlohmann::json;

/// Llama, Mistral, Qwen2, Qwen3.
void listRotaryDecoder(const json &config, TensorList &t) {
  const uint64_t vocabulary = t.size("vocab_size"), hidden = t.size("hidden_size"), inner = t.size("intermediate_size");
  const uint64_t heads = t.size("num_attention_heads"), layers = t.layers("num_hidden_layers");
  const uint64_t headDim = t.size("head_dim", hidden / heads), keyHeads = t.size("num_key_value_heads", heads);
  if (!t.status.ok())
    return;
  const json &type = config["model_type"];
  const bool attentionBias = t.flag("attention_bias"), mlpBias = t.flag("mlp_bias");
  const bool qkvBias = attentionBias || type == "qwen2", normalizesHeads = type == "qwen3";

  t.add("model.embed_tokens.weight", {vocabulary, hidden});
  for (uint64_t i = 0; i < layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    t.add(layer + "input_layernorm.weight", {hidden});
    t.linear(layer + "self_attn.q_proj", heads * headDim, hidden, qkvBias);
    t.linear(layer + "self_attn.k_proj", keyHeads * headDim, hidden, qkvBias);
    t.linear(layer + "self_attn.v_proj", keyHeads * headDim, hidden, qkvBias);
    t.linear(layer + "self_attn.o_proj", hidden, heads * headDim, attentionBias);
    for (const char *norm : {"self_attn.q_norm.weight", "self_attn.k_norm.weight"})
      if (normalizesHeads)
        t.add(layer + norm, {headDim});
    t.add(layer + "post_attention_layernorm.weight", {hidden});
    t.linear(layer + "mlp.gate_proj", inner, hidden, mlpBias);
    t.linear(layer + "mlp.up_proj", inner, hidden, mlpBias);
    t.linear(layer + "mlp.down_proj", hidden, inner, mlpBias);
  }
  t.add("model.norm.weight", {hidden});
}

void listFalcon(const json &config, TensorList &t) {
  const uint64_t vocabulary = t.size("vocab_size"), hidden = t.size("hidden_size"), inner = t.size("ffn_hidden_size");
  const uint64_t heads = t.size("num_attention_heads"), keyHeads = t.size("num_kv_heads"), layers = t.layers("num_hidden_layers");
  if (!t.status.ok())
    return;
  const uint64_t headDim = hidden / heads;
  const uint64_t projected = t.flag("new_decoder_architecture") ? (2 * keyHeads + heads) * headDim
                             : t.flag("multi_query")            ? hidden + 2 * headDim
                                                                : 3 * hidden;
  const bool bias = t.flag("bias"), parallel = t.flag("parallel_attn"), two = config["num_ln_in_parallel_attn"] == 2;

  t.add("transformer.word_embeddings.weight", {vocabulary, hidden});
  for (uint64_t i = 0; i < layers; ++i) {
    const std::string layer = "transformer.h." + std::to_string(i) + ".";
    t.linear(layer + "self_attention.query_key_value", projected, hidden, bias);
    t.linear(layer + "self_attention.dense", hidden, hidden, bias);
    t.linear(layer + "mlp.dense_h_to_4h", inner, hidden, bias);
    t.linear(layer + "mlp.dense_4h_to_h", hidden, inner, bias);
    if (!parallel)
      t.layerNorm(layer + "post_attention_layernorm", hidden);
    if (!parallel || !two) {
      t.layerNorm(layer + "input_layernorm", hidden);
    } else {
      t.layerNorm(layer + "ln_attn", hidden);
      t.layerNorm(layer + "ln_mlp", hidden);
    }
  }
  t.layerNorm("transformer.ln_f", hidden);
}

void listBloom(const json &, TensorList &t) {
  const uint64_t vocabulary = t.size("vocab_size"), hidden = t.size("hidden_size"), layers = t.layers("n_layer");
  if (!t.status.ok())
    return;
  t.add("transformer.word_embeddings.weight", {vocabulary, hidden});
  t.layerNorm("transformer.word_embeddings_layernorm", hidden);
  for (uint64_t i = 0; i < layers; ++i) {
    const std::string layer = "transformer.h." + std::to_string(i) + ".";
    t.layerNorm(layer + "input_layernorm", hidden);
    t.linear(layer + "self_attention.query_key_value", 3 * hidden, hidden, true);
    t.linear(layer + "self_attention.dense", hidden, hidden, true);
    t.layerNorm(layer + "post_attention_layernorm", hidden);
    t.linear(layer + "mlp.dense_h_to_4h", 4 * hidden, hidden, true);
    t.linear(layer + "mlp.dense_4h_to_h", hidden, 4 * hidden, true);
  }
  t.layerNorm("transformer.ln_f", hidden);
}

} // namespace zp::rt
