#include "frontends/huggingface/architectures/EncoderDecoder.h"

namespace zp::fe {

void requireEncoder(JsonReader &reader) {
  if (!reader.boolean("is_encoder_decoder", true))
    reader.fail(ErrorCode::UnknownArchitecture, "is_encoder_decoder", "is false, expected true: an encoder and a decoder; choose the whole model");
}

} // namespace zp::fe
