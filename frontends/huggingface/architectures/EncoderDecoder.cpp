#include "frontends/huggingface/architectures/EncoderDecoder.h"

#include "frontends/huggingface/ConfigValues.h"

namespace zp::fe {

void noteAttentionDropout(const JsonDocument &config, JsonReader &reader, const char *name, double absent, ModelSpec &spec) {
  if (readDropout(reader, name, absent) > 0)
    spec.notes.push_back("note: " + config.place(name) + ": dropout of attention's probabilities is not applied");
}

void requireEncoder(JsonReader &reader) {
  if (!reader.boolean("is_encoder_decoder", true))
    reader.fail(ErrorCode::UnknownArchitecture, "is_encoder_decoder",
                "is false, expected true: an encoder and a decoder; choose the whole model");
}

} // namespace zp::fe
