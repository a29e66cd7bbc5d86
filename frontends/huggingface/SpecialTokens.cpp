#include "frontends/huggingface/SpecialTokens.h"

#include <filesystem>

#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

static constexpr const char *kStart = "decoder_start_token_id";

/// One token, or a list of them.
static Status verifyTokens(const JsonDocument &file, const char *key, int64_t vocabulary) {
  JsonReader reader(file);
  if (!reader.has(key))
    return Status();
  const std::vector<int64_t> tokens = file.find(key)->is_array() ? reader.integers(key) : std::vector{reader.integer(key, 0)};
  ZP_RETURN_IF_ERROR(reader.status());
  for (int64_t token : tokens)
    if (token < 0 || token >= vocabulary)
      return file.error(ErrorCode::Config, key,
                        "is " + std::to_string(token) + ", expected a token from 0 to " + std::to_string(vocabulary - 1) + ", as vocab_size is " +
                            std::to_string(vocabulary) + "; correct one of them");
  return Status();
}

Status verifySpecialTokens(const JsonDocument &config, const std::string &modelDirectory, const ModelSpec &spec) {
  if (spec.structure != Structure::EncoderDecoder)
    return Status();
  for (const char *key : {kStart, "pad_token_id", "eos_token_id"})
    ZP_RETURN_IF_ERROR(verifyTokens(config, key, spec.vocabulary));
  if (JsonReader(config).has(kStart))
    return Status();
  const std::string own = modelDirectory + "/generation_config.json";
  if (std::error_code ignored; std::filesystem::exists(own, ignored)) {
    ZP_ASSIGN_OR_RETURN(JsonDocument generation, JsonDocument::read(own));
    ZP_RETURN_IF_ERROR(verifyTokens(generation, kStart, spec.vocabulary));
    if (JsonReader(generation).has(kStart))
      return Status();
  }
  const int64_t ofClass = familyNamed(spec.modelType).decoderStart;
  if (ofClass >= 0 && ofClass < spec.vocabulary)
    return Status();
  return config.error(ErrorCode::Config, kStart,
                      "is missing, also from generation_config.json, and " + spec.architecture + " has " +
                          (ofClass < 0 ? "no token of its own for it" : std::to_string(ofClass) + ", beyond vocab_size") +
                          ", expected the token that a decoder's row begins with; add it (T5: the pad token's, 0; BART: the eos "
                          "token's, 2)");
}

} // namespace zp::fe
