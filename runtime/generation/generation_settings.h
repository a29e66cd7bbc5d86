// How text is continued: generation_config.json under its own names, and what flags say instead.
#ifndef ZP_RUNTIME_GENERATION_GENERATION_SETTINGS_H
#define ZP_RUNTIME_GENERATION_GENERATION_SETTINGS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt {

struct GenerationSettings {
  bool sample = false; ///< else the most probable token each time
  double temperature = 1, topP = 1;
  int64_t topK = 50; ///< 0: all tokens; the reference's default, used when sampling
  double repetitionPenalty = 1;
  std::optional<uint64_t> newTokens; ///< most new tokens of a prompt; empty: what the plan's max_length leaves
  std::vector<int32_t> ends;         ///< tokens that end a row
  uint64_t seed = 42;
  std::vector<std::string> notes; ///< what the file asks for and isn't done, a line each
};

/// What flags ask for; what they leave out is the model's.
struct GenerationFlags {
  std::optional<bool> sample;
  std::optional<double> temperature, topP, repetitionPenalty;
  std::optional<int64_t> topK;
  std::optional<uint64_t> newTokens, seed;
};

/// `model`/generation_config.json, or without one the end tokens of `model`/config.json, under `flags`.
/// Json for a file that can't be read as such, Config for a value that makes no distribution.
StatusOr<GenerationSettings> readGenerationSettings(const std::string &model, const GenerationFlags &flags);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_GENERATION_SETTINGS_H
