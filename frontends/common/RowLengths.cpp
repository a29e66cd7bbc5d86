#include "frontends/common/RowLengths.h"

namespace zp::fe {

Status settleLengths(const ModelSpec &spec, const std::set<std::string> &given, JobSettings &settings) {
  if (spec.structure != Structure::EncoderDecoder) {
    for (const char *flag : {"max_source_length", "max_target_length"})
      if (given.count(flag))
        return Status(ErrorCode::Config,
                      std::string("--") + flag + ": is given for " + spec.architecture + ", a decoder alone, expected --max_length; use that");
    return Status();
  }
  if (given.count("max_length"))
    return Status(ErrorCode::Config, "--max_length: is given for " + spec.architecture +
                                         ", an encoder-decoder, expected --max_source_length and --max_target_length; use those");
  if (settings.length_buckets > 1)
    return Status(ErrorCode::Config, "--length_buckets: is " + std::to_string(settings.length_buckets) + " for " + spec.architecture +
                                         ", whose rows have two lengths, expected 1; drop the flag");
  settings.max_length = settings.max_target_length;
  return Status();
}

} // namespace zp::fe
