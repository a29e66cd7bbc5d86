// The tokens that an encoder-decoder's files name: what its decoder begins with, what pads, what ends.
#ifndef ZP_FRONTENDS_HUGGINGFACE_SPECIALTOKENS_H
#define ZP_FRONTENDS_HUGGINGFACE_SPECIALTOKENS_H

#include "frontends/common/JsonDocument.h"
#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// Config, naming file and key, where no token is named that a decoder could begin with (config.json, then generation_config.json
/// in `modelDirectory`, then the class's default), and for a token that isn't of the vocabulary. A decoder alone needs none: its
/// rows begin with what the data say.
Status verifySpecialTokens(const JsonDocument &config, const std::string &modelDirectory, const ModelSpec &spec);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_SPECIALTOKENS_H
