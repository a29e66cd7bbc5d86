// The tensors of encoder-decoders. Encoder and decoder have the shared embedding, which is saved once.
#include "runtime/tools/zprun/quantize/tensor_list.h"

namespace zp::rt {

using nlohmann::json;

namespace {

void listBartAttention(const std::string &place, uint64_t hidden, TensorList &t) {
  for (const char *projection : {"k_proj", "v_proj", "q_proj", "out_proj"})
    t.linear(place + projection, hidden, hidden, true);
}

struct T5Sizes {
  uint64_t hidden, heads, headDim, inner, buckets;
  bool gated;
};

void listT5Attention(const std::string &place, const T5Sizes &s, TensorList &t) {
  for (const char *projection : {"q", "k", "v"})
    t.linear(place + projection, s.heads * s.headDim, s.hidden, false);
  t.linear(place + "o", s.hidden, s.heads * s.headDim, false);
}

void listT5Stack(const std::string &stack, uint64_t blocks, bool crosses, const T5Sizes &s, TensorList &t) {
  for (uint64_t i = 0; i < blocks; ++i) {
    const std::string block = stack + ".block." + std::to_string(i) + ".layer.";
    uint64_t layer = 0;
    auto place = [&] { return block + std::to_string(layer) + "."; };
    listT5Attention(place() + "SelfAttention.", s, t);
    if (i == 0) // all blocks of a stack have that of its first
      t.add(place() + "SelfAttention.relative_attention_bias.weight", {s.buckets, s.heads});
    t.add(place() + "layer_norm.weight", {s.hidden});
    ++layer;
    if (crosses) {
      listT5Attention(place() + "EncDecAttention.", s, t);
      t.add(place() + "layer_norm.weight", {s.hidden});
      ++layer;
    }
    const std::string mlp = place() + "DenseReluDense.";
    t.linear(mlp + (s.gated ? "wi_0" : "wi"), s.inner, s.hidden, false);
    if (s.gated)
      t.linear(mlp + "wi_1", s.inner, s.hidden, false);
    t.linear(mlp + "wo", s.hidden, s.inner, false);
    t.add(place() + "layer_norm.weight", {s.hidden});
  }
  t.add(stack + ".final_layer_norm.weight", {s.hidden});
}

} // namespace

void listBart(const json &, TensorList &t) {
  constexpr uint64_t kPositionsBefore = 2; // rows of the table before that of place 0
  const uint64_t vocabulary = t.size("vocab_size"), hidden = t.size("d_model"), positions = t.size("max_position_embeddings");
  t.add("model.shared.weight", {vocabulary, hidden});
  t.buffer("final_logits_bias", {1, vocabulary});
  for (const std::string stack : {"encoder", "decoder"}) {
    const bool crosses = stack == "decoder";
    const uint64_t layers = t.layers((stack + "_layers").c_str()), inner = t.size((stack + "_ffn_dim").c_str());
    if (!t.status.ok())
      return;
    if (!t.flag("tie_word_embeddings")) // then the stacks' own, too, aren't the shared one
      t.add("model." + stack + ".embed_tokens.weight", {vocabulary, hidden});
    t.add("model." + stack + ".embed_positions.weight", {positions + kPositionsBefore, hidden});
    t.layerNorm("model." + stack + ".layernorm_embedding", hidden);
    for (uint64_t i = 0; i < layers; ++i) {
      const std::string layer = "model." + stack + ".layers." + std::to_string(i) + ".";
      listBartAttention(layer + "self_attn.", hidden, t);
      t.layerNorm(layer + "self_attn_layer_norm", hidden);
      if (crosses) {
        listBartAttention(layer + "encoder_attn.", hidden, t);
        t.layerNorm(layer + "encoder_attn_layer_norm", hidden);
      }
      t.linear(layer + "fc1", inner, hidden, true);
      t.linear(layer + "fc2", hidden, inner, true);
      t.layerNorm(layer + "final_layer_norm", hidden);
    }
  }
}

/// T5 and mT5.
void listT5(const json &, TensorList &t) {
  const T5Sizes sizes{t.size("d_model"),     t.size("num_heads"), t.size("d_kv"), t.size("d_ff"), t.size("relative_attention_num_buckets"),
                      t.flag("is_gated_act")};
  const uint64_t vocabulary = t.size("vocab_size"), encoder = t.layers("num_layers"), decoder = t.layers("num_decoder_layers");
  if (!t.status.ok())
    return;
  t.add("shared.weight", {vocabulary, sizes.hidden});
  listT5Stack("encoder", encoder, false, sizes, t);
  listT5Stack("decoder", decoder, true, sizes, t);
}

} // namespace zp::rt
