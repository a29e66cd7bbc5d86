#include "frontends/common/SpecVerifier.h"

namespace zp::fe {

Status verifySpec(const ModelSpec &spec, const JobSettings &settings) {
  auto unusable = [&](const std::string &message) { return Status(ErrorCode::UnknownArchitecture, spec.configFile + ": " + message); };
  auto text = [](int64_t value) { return std::to_string(value); };
  if (spec.heads % spec.kvHeads)
    return unusable("num_attention_heads: is " + text(spec.heads) + ", expected a multiple of the " + text(spec.kvHeads) +
                    " num_key_value_heads; correct one of them");
  if (!spec.rope.inverseFrequencies.empty() && spec.headDim % 2)
    return unusable("head_dim: is " + text(spec.headDim) + ", expected an even number, whose halves rotate; correct it");
  for (int64_t width : {spec.heads * spec.headDim, spec.hidden, spec.intermediate, spec.vocabulary})
    if (width > (int64_t(1) << 30))
      return unusable("num_attention_heads · head_dim: is " + text(width) + ", expected below 2^30; correct them");
  const bool both = spec.structure == Structure::EncoderDecoder;
  if (both && settings.per_device_train_batch_size * settings.max_source_length > int64_t(1) << 30)
    return Status(ErrorCode::Config, "--per_device_train_batch_size: makes " +
                                         text(settings.per_device_train_batch_size * settings.max_source_length) +
                                         " tokens for the encoder, expected at most 2^30; use fewer rows and more accumulation");
  if (both && settings.generate && settings.generation_batch_size * settings.max_source_length > int64_t(1) << 30)
    return Status(ErrorCode::Config, "--generation_batch_size: makes " + text(settings.generation_batch_size * settings.max_source_length) +
                                         " tokens for the encoder, expected at most 2^30; use fewer prompts at once");
  if (both && spec.maxPositions && settings.max_source_length > spec.maxPositions)
    return Status(ErrorCode::RopeLimit, "--max_source_length: is " + text(settings.max_source_length) + ", expected at most " +
                                            text(spec.maxPositions) + ", max_position_embeddings of " + spec.configFile +
                                            "; shorten the rows or choose a model with longer reach");
  if (spec.maxPositions && settings.max_length > spec.maxPositions)
    return Status(ErrorCode::RopeLimit, (both ? "--max_target_length: is " : "--max_length: is ") + text(settings.max_length) +
                                            ", expected at most " + text(spec.maxPositions) + ", max_position_embeddings of " + spec.configFile +
                                            "; shorten the rows or choose a model with longer reach");
  return Status();
}

} // namespace zp::fe
