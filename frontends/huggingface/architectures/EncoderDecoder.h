// What the readers of encoder-decoders' config.json have in common.
#ifndef ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_ENCODERDECODER_H
#define ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_ENCODERDECODER_H

#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

/// UnknownArchitecture for a config that says the model is one of its stacks alone.
void requireEncoder(JsonReader &reader);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_ENCODERDECODER_H
