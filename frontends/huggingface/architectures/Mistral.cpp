#include "frontends/huggingface/architectures/RotaryDecoder.h"

namespace zp::fe {

static constexpr RotaryDefaults kDefaults = {
    .vocabulary = 32000,
    .hidden = 4096,
    .intermediate = 14336,
    .layers = 32,
    .heads = 32,
    .kvHeads = 8,
    .headDim = 0,
    .maxPositions = 131072,
    .normEpsilon = 1e-6,
    .queryKeyValueBias = BiasRule::Never,
    .outputBias = BiasRule::Never,
    .mlpBias = BiasRule::Never,
    .window = WindowRule::EveryLayer,
};

static constexpr const char *kOtherArchitectures[] = {"MistralModel"};

constinit const Family kMistralFamily = {
    .modelType = "mistral",
    .architecture = "MistralForCausalLM",
    .structure = Structure::RotaryDecoder,
    .read = [](const JsonDocument &config, ModelSpec &spec) { return readRotaryDecoder(config, kDefaults, spec); },
    .sections = kLlamaSections,
    .basePrefix = "model.",
    .defaultTargets = kRotaryTargets,
    .otherArchitectures = kOtherArchitectures,
};

} // namespace zp::fe
