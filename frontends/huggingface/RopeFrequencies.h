// The rotary frequencies that a config.json asks for: rope_theta + rope_scaling (transformers 4) or
// rope_parameters (5).
#ifndef ZP_FRONTENDS_HUGGINGFACE_ROPEFREQUENCIES_H
#define ZP_FRONTENDS_HUGGINGFACE_ROPEFREQUENCIES_H

#include "frontends/common/JsonDocument.h"
#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// Types default, linear, llama3, yarn, and dynamic, which is default up to max_position_embeddings
/// (no longer row is accepted). Values in fp32, step by step as transformers computes them.
StatusOr<RopeSpec> importRope(const JsonDocument &config, int64_t headDim, int64_t maxPositions);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ROPEFREQUENCIES_H
