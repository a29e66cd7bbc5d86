#include "frontends/huggingface/architectures/RotaryDecoder.h"

namespace zp::fe {

static constexpr ModuleRow kBlock[] = {
    {"self_attn", ModuleKind::Container},
    {"self_attn.q_proj", ModuleKind::Linear, Role::Query, Width::Query, Width::Hidden},
    {"self_attn.k_proj", ModuleKind::Linear, Role::Key, Width::KeyValue, Width::Hidden},
    {"self_attn.v_proj", ModuleKind::Linear, Role::Value, Width::KeyValue, Width::Hidden},
    {"self_attn.o_proj", ModuleKind::Linear, Role::Output, Width::Hidden, Width::Query},
    // One weight for all heads, applied to each head before the rotation.
    {"self_attn.q_norm", ModuleKind::RmsNorm, Role::QueryNorm, Width::HeadDim},
    {"self_attn.k_norm", ModuleKind::RmsNorm, Role::KeyNorm, Width::HeadDim},
    {"mlp", ModuleKind::Container},
    {"mlp.gate_proj", ModuleKind::Linear, Role::Gate, Width::Intermediate, Width::Hidden},
    {"mlp.up_proj", ModuleKind::Linear, Role::Up, Width::Intermediate, Width::Hidden},
    {"mlp.down_proj", ModuleKind::Linear, Role::Down, Width::Hidden, Width::Intermediate},
    {"mlp.act_fn", ModuleKind::Other},
    {"input_layernorm", ModuleKind::RmsNorm, Role::InputNorm, Width::Hidden},
    {"post_attention_layernorm", ModuleKind::RmsNorm, Role::PostNorm, Width::Hidden},
};
static constexpr Section kSections[] = {
    {Place::Embeddings, "", kRotaryFront},
    {Place::Blocks, "model.layers", kBlock},
    {Place::Head, "", kRotaryEnd},
};

static constexpr RotaryDefaults kDefaults = {
    .vocabulary = 151936,
    .hidden = 4096,
    .intermediate = 22016,
    .layers = 32,
    .heads = 32,
    .kvHeads = 32,
    .headDim = 128,
    .maxPositions = 32768,
    .normEpsilon = 1e-6,
    .queryKeyValueBias = BiasRule::AttentionBias,
    .outputBias = BiasRule::AttentionBias,
    .mlpBias = BiasRule::Never,
    .window = WindowRule::LayerTypes,
};

static constexpr const char *kOtherArchitectures[] = {"Qwen3Model"};

constinit const Family kQwen3Family = {
    .modelType = "qwen3",
    .architecture = "Qwen3ForCausalLM",
    .structure = Structure::RotaryDecoder,
    .read = [](const JsonDocument &config, ModelSpec &spec) { return readRotaryDecoder(config, kDefaults, spec); },
    .sections = kSections,
    .basePrefix = "model.",
    .defaultTargets = kRotaryTargets,
    .otherArchitectures = kOtherArchitectures,
};

} // namespace zp::fe
