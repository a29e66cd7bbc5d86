// How text is made: generation_config.json under its own names, and what flags say instead.
#ifndef ZP_RUNTIME_GENERATION_GENERATION_SETTINGS_H
#define ZP_RUNTIME_GENERATION_GENERATION_SETTINGS_H

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt {

enum class EarlyStopping : uint8_t { No, Yes, Never };

/// The kinds of generation.inc.
namespace generation {
using Bool = bool;
using Count = uint64_t;
using MaybeCount = std::optional<uint64_t>;
using Number = double;
using MaybeNumber = std::optional<double>;
using MaybeToken = std::optional<int32_t>;
using Tokens = std::vector<int32_t>;
using Texts = std::vector<std::string>;
using Stopping = EarlyStopping;

/// A value that a flag may give: empty when it doesn't. Lists are empty by themselves.
template <typename T> struct Flag { using type = std::optional<T>; };
template <typename T> struct Flag<std::optional<T>> { using type = std::optional<T>; };
template <typename T> struct Flag<std::vector<T>> { using type = std::vector<T>; };
} // namespace generation

struct GenerationSettings {
#define ZP_GENERATION(name, kind, initial, doc) generation::kind name = initial;
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
  uint64_t seed = 42;             ///< of draws
  bool noOtherEnds = false;       ///< eos_token_id is a flag's: the tokenizer's own end ends no text
  std::vector<std::string> notes; ///< what the file asks for and isn't done, a line each

  /// Whether `token` ends a text.
  bool isEnd(int32_t token) const;
};

/// What flags ask for; what they leave out is the model's.
struct GenerationFlags {
#define ZP_GENERATION(name, kind, initial, doc) generation::Flag<generation::kind>::type name = {};
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
  std::optional<uint64_t> seed;
};

/// `model`/generation_config.json, or without one the same keys of `model`/config.json, under `flags`.
/// Json for a file that can't be read as such, Config for values that make no sense, alone or together.
StatusOr<GenerationSettings> readGenerationSettings(const std::string &model, const GenerationFlags &flags);

/// TokenRange, naming the setting, for a token that a vocabulary of so many lacks among those that are begun with, forced or
/// suppressed: no text could be made as they say. An end that the model can't say is no harm. `startUsed`: whether texts begin with
/// decoder_start_token_id.
Status checkTokens(const GenerationSettings &settings, uint32_t vocabulary, bool startUsed);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_GENERATION_SETTINGS_H
