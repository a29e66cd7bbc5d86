// What Llama, Mistral and Qwen have in common: rotated heads, RMSNorm before each half of a block,
// a gated SiLU.
#ifndef ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_ROTARYDECODER_H
#define ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_ROTARYDECODER_H

#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

/// Which switch gives a linear its bias.
enum class BiasRule : uint8_t { Never, Always, AttentionBias, MlpBias };

/// EveryLayer: `sliding_window` (class default 4096) holds in all layers. LayerTypes: in the layers
/// that `layer_types` calls sliding_attention, or, without it, from `max_window_layers` on when
/// `use_sliding_window`.
enum class WindowRule : uint8_t { Never, EveryLayer, LayerTypes };

struct RotaryDefaults {
  //--- what a key that config.json lacks stands for; 0: kvHeads = heads, headDim = hidden / heads
  int64_t vocabulary, hidden, intermediate, layers, heads, kvHeads, headDim, maxPositions;
  double normEpsilon;
  //---
  BiasRule queryKeyValueBias, outputBias, mlpBias;
  WindowRule window;
};

Status readRotaryDecoder(const JsonDocument &config, const RotaryDefaults &defaults, ModelSpec &spec);

inline constexpr ModuleRow kRotaryFront[] = {
    {"model", ModuleKind::Container},
    {"model.embed_tokens", ModuleKind::Embedding, Role::Embedding, Width::Vocabulary, Width::Hidden},
};
/// The block of Llama: Mistral and Qwen2 have the same.
inline constexpr ModuleRow kLlamaBlock[] = {
    {"self_attn", ModuleKind::Container},
    {"self_attn.q_proj", ModuleKind::Linear, Role::Query, Width::Query, Width::Hidden},
    {"self_attn.k_proj", ModuleKind::Linear, Role::Key, Width::KeyValue, Width::Hidden},
    {"self_attn.v_proj", ModuleKind::Linear, Role::Value, Width::KeyValue, Width::Hidden},
    {"self_attn.o_proj", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    {"mlp", ModuleKind::Container},
    {"mlp.gate_proj", ModuleKind::Linear, Role::Gate, Width::Intermediate, Width::Hidden},
    {"mlp.up_proj", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden},
    {"mlp.down_proj", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
    {"mlp.act_fn", ModuleKind::Other},
    {"input_layernorm", ModuleKind::RmsNorm, Role::InputNorm, Width::Hidden},
    {"post_attention_layernorm", ModuleKind::RmsNorm, Role::PostNorm, Width::Hidden},
};
inline constexpr ModuleRow kRotaryEnd[] = {
    {"model.norm", ModuleKind::RmsNorm, Role::FinalNorm, Width::Hidden},
    {"model.rotary_emb", ModuleKind::Other},
    {"lm_head", ModuleKind::Linear, Role::Head, Width::Vocabulary, Width::Hidden},
};
inline constexpr Section kLlamaSections[] = {
    {Place::Embeddings, "", kRotaryFront},
    {Place::Blocks, "model.layers", kLlamaBlock},
    {Place::Head, "", kRotaryEnd},
};
inline constexpr const char *kRotaryTargets[] = {"q_proj", "v_proj"};

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_ROTARYDECODER_H
