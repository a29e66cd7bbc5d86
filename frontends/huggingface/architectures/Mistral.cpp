#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

const Family kMistralFamily = {
    .modelType = "mistral",
    .architecture = "MistralForCausalLM",
    .vocabulary = 32000,
    .hidden = 4096,
    .intermediate = 14336,
    .layers = 32,
    .heads = 32,
    .kvHeads = 8,
    .headDim = 0,
    .maxPositions = 131072,
    .rmsEpsilon = 1e-6,
    .queryKeyValueBias = BiasRule::Never,
    .outputBias = BiasRule::Never,
    .mlpBias = BiasRule::Never,
    .window = WindowRule::EveryLayer,
    .block = kLlamaBlock,
};

} // namespace zp::fe
