#include "frontends/huggingface/architectures/RotaryDecoder.h"

namespace zp::fe {

static constexpr RotaryDefaults kDefaults = {
    .vocabulary = 151936,
    .hidden = 4096,
    .intermediate = 22016,
    .layers = 32,
    .heads = 32,
    .kvHeads = 32,
    .headDim = 0,
    .maxPositions = 32768,
    .normEpsilon = 1e-6,
    .queryKeyValueBias = BiasRule::Always,
    .outputBias = BiasRule::Never,
    .mlpBias = BiasRule::Never,
    .window = WindowRule::LayerTypes,
};

static constexpr const char *kOtherArchitectures[] = {"Qwen2Model"};

constinit const Family kQwen2Family = {
    .modelType = "qwen2",
    .architecture = "Qwen2ForCausalLM",
    .structure = Structure::RotaryDecoder,
    .read = [](const JsonDocument &config, ModelSpec &spec) { return readRotaryDecoder(config, kDefaults, spec); },
    .sections = kLlamaSections,
    .basePrefix = "model.",
    .defaultTargets = kRotaryTargets,
    .otherArchitectures = kOtherArchitectures,
};

} // namespace zp::fe
