#include "frontends/huggingface/architectures/RotaryDecoder.h"

namespace zp::fe {

static constexpr RotaryDefaults kDefaults = {
    .vocabulary = 32000,
    .hidden = 4096,
    .intermediate = 11008,
    .layers = 32,
    .heads = 32,
    .kvHeads = 0,
    .headDim = 0,
    .maxPositions = 2048,
    .normEpsilon = 1e-6,
    .queryKeyValueBias = BiasRule::AttentionBias,
    .outputBias = BiasRule::AttentionBias,
    .mlpBias = BiasRule::MlpBias,
    .window = WindowRule::Never,
};

static constexpr const char *kOtherArchitectures[] = {"LlamaModel"};

constinit const Family kLlamaFamily = {
    .modelType = "llama",
    .architecture = "LlamaForCausalLM",
    .structure = Structure::RotaryDecoder,
    .read = [](const JsonDocument &config, ModelSpec &spec) { return readRotaryDecoder(config, kDefaults, spec); },
    .sections = kLlamaSections,
    .basePrefix = "model.",
    .defaultTargets = kRotaryTargets,
    .otherArchitectures = kOtherArchitectures,
};

} // namespace zp::fe
