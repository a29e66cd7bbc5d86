#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

static constexpr BlockModule kBlock[] = {
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
constinit const std::span<const BlockModule> kLlamaBlock = kBlock;

constinit const Family kLlamaFamily = {
    .modelType = "llama",
    .architecture = "LlamaForCausalLM",
    .vocabulary = 32000,
    .hidden = 4096,
    .intermediate = 11008,
    .layers = 32,
    .heads = 32,
    .kvHeads = 0,
    .headDim = 0,
    .maxPositions = 2048,
    .rmsEpsilon = 1e-6,
    .queryKeyValueBias = BiasRule::AttentionBias,
    .outputBias = BiasRule::AttentionBias,
    .mlpBias = BiasRule::MlpBias,
    .window = WindowRule::Never,
    .block = kBlock,
};

} // namespace zp::fe
