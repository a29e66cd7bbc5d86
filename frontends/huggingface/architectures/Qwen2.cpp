#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

const Family kQwen2Family = {
    .modelType = "qwen2",
    .architecture = "Qwen2ForCausalLM",
    .vocabulary = 151936,
    .hidden = 4096,
    .intermediate = 22016,
    .layers = 32,
    .heads = 32,
    .kvHeads = 32,
    .headDim = 0,
    .maxPositions = 32768,
    .rmsEpsilon = 1e-6,
    .queryKeyValueBias = BiasRule::Always,
    .outputBias = BiasRule::Never,
    .mlpBias = BiasRule::Never,
    .window = WindowRule::LayerTypes,
    .block = kLlamaBlock,
};

} // namespace zp::fe
