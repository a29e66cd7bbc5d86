// What to adapt and how, as PEFT's LoraConfig says it: from flags or from an adapter_config.json.
#ifndef ZP_FRONTENDS_HUGGINGFACE_LORASETTINGS_H
#define ZP_FRONTENDS_HUGGINGFACE_LORASETTINGS_H

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

/// A number that remembers whether it was written as a whole one: PEFT saves 16 and 16.0 apart.
struct WrittenNumber {
  double value = 0;
  bool whole = false;
};

/// Modules by name. A regular expression matches a whole module name; a list entry matches it or
/// its tail after a dot.
struct ModuleChoice {
  enum class Kind : uint8_t { None, AllLinear, Names, Regex } kind = Kind::None;
  std::vector<std::string> names;
  std::string regex;

  /// `all-linear`, a comma list, or, when a character of it can't be in a name, a regular
  /// expression.
  static ModuleChoice fromText(const std::string &text);
  std::string text() const;
};

template <typename T> using PatternMap = std::vector<std::pair<std::string, T>>; ///< in the order of trial

struct LoraSettings {
  int64_t rank = 8;
  WrittenNumber alpha{8, true}, dropout;
  ModuleChoice targets, excluded;
  std::string bias = "none";
  std::string initial = "true"; ///< true, false or gaussian
  bool rankStabilised = false;
  PatternMap<int64_t> rankPattern;
  PatternMap<WrittenNumber> alphaPattern;
  std::optional<std::vector<int64_t>> layers;
  bool singleLayer = false; ///< layers was a number, not a list
  std::vector<std::string> layersPattern;
  bool singleLayersPattern = false;
  std::optional<std::vector<std::string>> modulesToSave;

  bool saved = false; ///< an adapter_config.json's: what of it matches nothing matched nothing when PEFT saved it

  nlohmann::json recorded = nlohmann::json::object(); ///< the Recorded keys that a file has
  /// How errors call the setting of a key: `--lora_r`, or `adapter_config.json:31: r`.
  std::vector<std::pair<std::string, std::string>> places;
  std::string placeOf(const std::string &key) const;
};

/// Whether a flag of this name, without dashes, is one of LoraSettings'.
bool isLoraFlag(const std::string &name);

/// From `--lora_*`. Config when a value is wrong.
StatusOr<LoraSettings> loraFromFlags(const JobSettings &settings);

/// What holds for both sources; Config.
Status verifyLora(const LoraSettings &lora);

/// Writes the values back into the job's settings, so that the record in model.mlir is what was
/// done.
void recordLora(const LoraSettings &lora, JobSettings &settings);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_LORASETTINGS_H
